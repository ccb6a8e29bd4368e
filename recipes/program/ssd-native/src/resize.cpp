#include "resize.hpp"

#include <algorithm>

namespace ssd {
namespace {

constexpr std::int64_t kOne = 1 << 14;

}  // namespace

void Resizer::prepare(Axis& axis, std::size_t input) const {
    if (axis.input == input) return;
    axis = {input, {}, {0}, {}};
    const auto in = static_cast<std::int64_t>(input), out = static_cast<std::int64_t>(side_);
    const std::int64_t reach = 2 * std::max(in, out);
    std::vector<std::int64_t> triangle;
    for (std::int64_t i = 0; i < out; ++i) {
        // In units of 1 / (2 * in * out) of the image's side.
        const std::int64_t centre = (2 * i + 1) * in;
        std::int64_t first = std::max<std::int64_t>(0, (centre - reach) / (2 * out) - 1);
        while (std::abs((2 * first + 1) * out - centre) >= reach) ++first;
        triangle.clear();
        std::int64_t sum = 0;
        for (std::int64_t j = first; j < in; ++j) {
            const std::int64_t weight = reach - std::abs((2 * j + 1) * out - centre);
            if (weight <= 0) break;
            triangle.push_back(weight);
            sum += weight;
        }
        std::int64_t left = kOne;
        for (const std::int64_t weight : triangle) {
            axis.weights.push_back(static_cast<std::int32_t>(weight * kOne / sum));
            left -= axis.weights.back();
        }
        const auto largest = std::max_element(triangle.begin(), triangle.end()) - triangle.begin();
        axis.weights[axis.starts.back() + static_cast<std::size_t>(largest)] +=
            static_cast<std::int32_t>(left);
        axis.firsts.push_back(static_cast<std::size_t>(first));
        axis.starts.push_back(axis.weights.size());
    }
}

const std::uint8_t* Resizer::run(const std::uint8_t* rgb, std::size_t width, std::size_t height) {
    prepare(vertical_, height);
    prepare(horizontal_, width);
    const std::size_t stride = width * 3;
    result_.resize(side_ * side_ * 3);
    std::uint8_t* to = result_.data();
    for (std::size_t y = 0; y < side_; ++y) {
        row_.assign(stride, 64);
        const std::uint8_t* from = rgb + vertical_.firsts[y] * stride;
        for (std::size_t k = vertical_.starts[y]; k < vertical_.starts[y + 1];
             ++k, from += stride) {
            const std::int32_t weight = vertical_.weights[k];
            for (std::size_t i = 0; i < stride; ++i) row_[i] += weight * from[i];
        }
        for (std::int32_t& value : row_) value >>= 7;
        for (std::size_t x = 0; x < side_; ++x) {
            const std::int32_t* pixel = &row_[horizontal_.firsts[x] * 3];
            std::int32_t sums[3] = {1 << 20, 1 << 20, 1 << 20};
            for (std::size_t k = horizontal_.starts[x]; k < horizontal_.starts[x + 1];
                 ++k, pixel += 3) {
                for (std::size_t c = 0; c < 3; ++c) sums[c] += horizontal_.weights[k] * pixel[c];
            }
            for (const std::int32_t sum : sums) *to++ = static_cast<std::uint8_t>(sum >> 21);
        }
    }
    return result_.data();
}

}  // namespace ssd
