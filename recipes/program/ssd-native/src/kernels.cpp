#include "kernels.hpp"

#include <algorithm>
#include <cstring>

namespace ssd {
namespace {

// One register of floats. Vector types of GCC and Clang become plain instructions of the target,
// whatever it has; sizes beyond the hardware's would be split badly, hence the choice here.
#if defined(__AVX512F__)
constexpr std::size_t kLanes = 16, kTile = 12;
#elif defined(__AVX__)
constexpr std::size_t kLanes = 8, kTile = 6;
#elif defined(__aarch64__)
constexpr std::size_t kLanes = 4, kTile = 6;
#else
constexpr std::size_t kLanes = 4, kTile = 2;
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
constexpr std::size_t kParts = kPanel / kLanes;

inline Vector load(const float* from) {
    Vector value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

inline void store(float* to, const Vector& value) { std::memcpy(to, &value, sizeof value); }

inline Vector relu6(Vector value) {
    const Vector zero{}, six = zero + 6.0F;
    value = value > zero ? value : zero;
    return value < six ? value : six;
}

// What one tile of the product needs: for each of `runs` tap rows, `length` floats in a row.
struct Product {
    const float* weights;  // of one panel
    const float* bias;
    std::size_t runs, length, input_row, input_step, output_step, width;
    bool relu6;
};

// Rows pixels x 16 channels. Pixel r reads from input + r * input_step.
template <std::size_t Rows>
void tile(const Product& p, const float* input, float* output) {
    Vector sum[Rows][kParts] = {};
    const float* weights = p.weights;
    for (std::size_t run = 0; run < p.runs; ++run) {
        const float* from = input + run * p.input_row;
        for (std::size_t k = 0; k < p.length; ++k, weights += kPanel) {
            Vector w[kParts];
            for (std::size_t part = 0; part < kParts; ++part)
                w[part] = load(weights + part * kLanes);
            for (std::size_t r = 0; r < Rows; ++r) {
                const float x = from[r * p.input_step + k];
                for (std::size_t part = 0; part < kParts; ++part) sum[r][part] += w[part] * x;
            }
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        float whole[kPanel];
        float* const to = p.width == kPanel ? output + r * p.output_step : whole;
        for (std::size_t part = 0; part < kParts; ++part) {
            // The bias comes last: added first, it would coarsen the rounding of every partial sum.
            const Vector value = sum[r][part] + load(p.bias + part * kLanes);
            store(to + part * kLanes, p.relu6 ? relu6(value) : value);
        }
        if (to == whole) std::memcpy(output + r * p.output_step, whole, p.width * sizeof(float));
    }
}

// The last pixels of a row, fewer than a whole tile.
template <std::size_t Rows>
void rest(std::size_t count, const Product& p, const float* input, float* output) {
    if constexpr (Rows > 0) {
        if (count == Rows) tile<Rows>(p, input, output);
        else rest<Rows - 1>(count, p, input, output);
    }
}

void pixels(const Product& p, std::size_t count, const float* input, float* output) {
    for (; count >= kTile; count -= kTile) {
        tile<kTile>(p, input, output);
        input += kTile * p.input_step;
        output += kTile * p.output_step;
    }
    rest<kTile - 1>(count, p, input, output);
}

}  // namespace

Packed::Packed(const Convolution& convolution, std::size_t input_pixel)
    : size_(convolution.size),
      stride_(convolution.stride),
      outputs_(convolution.outputs),
      depthwise_(convolution.depthwise),
      relu6_(convolution.relu6),
      bias_(convolution.bias) {
    bias_.resize(padded(outputs_), 0.0F);
    if (depthwise_) pack_channels(convolution);
    else pack_panels(convolution, input_pixel);
}

void Packed::pack_panels(const Convolution& convolution, std::size_t input_pixel) {
    const std::size_t taps = size_ * size_, inputs = convolution.inputs;
    weights_.assign(padded(outputs_) * taps * input_pixel, 0.0F);
    for (std::size_t tap = 0; tap < taps; ++tap) {
        for (std::size_t in = 0; in < inputs; ++in) {
            const float* const from = &convolution.weights[(tap * inputs + in) * outputs_];
            for (std::size_t out = 0; out < outputs_; ++out) {
                const std::size_t panel = out / kPanel;
                weights_[((panel * taps + tap) * input_pixel + in) * kPanel + out % kPanel] =
                    from[out];
            }
        }
    }
}

void Packed::pack_channels(const Convolution& convolution) {
    weights_.assign(9 * padded(outputs_), 0.0F);
    for (std::size_t tap = 0; tap < 9; ++tap) {
        std::copy_n(&convolution.weights[tap * outputs_], outputs_,
                    &weights_[tap * padded(outputs_)]);
    }
}

void Packed::run(const View& input, const View& output) const {
    if (depthwise_) run_depthwise(input, output);
    else run_product(input, output);
}

void Packed::run_product(const View& input, const View& output) const {
    // A 1x1 product over images without borders is one long row of pixels.
    const bool flat = size_ == 1 && input.border == 0 && output.border == 0;
    const std::size_t rows = flat ? 1 : output.side;
    const std::size_t length = flat ? output.side * output.side : output.side;
    const std::size_t before = size_ == 3 && stride_ == 1 ? 1 : 0;
    Product p{};
    p.runs = size_;
    p.length = size_ * input.pixel;
    p.input_row = input.row();
    p.input_step = stride_ * input.pixel;
    p.output_step = output.pixel;
    p.relu6 = relu6_;
    for (std::size_t panel = 0; panel < outputs_; panel += kPanel) {
        p.weights = &weights_[panel * size_ * p.length];
        p.bias = &bias_[panel];
        p.width = std::min(kPanel, output.pixel - panel);
        for (std::size_t y = 0; y < rows; ++y) {
            const float* const from =
                input.at(y * stride_, 0) - before * (input.row() + input.pixel);
            pixels(p, length, from, output.at(y, 0) + panel);
        }
    }
}

void Packed::run_depthwise(const View& input, const View& output) const {
    const std::size_t before = stride_ == 1 ? 1 : 0;
    const std::size_t channels = padded(outputs_);
    for (std::size_t y = 0; y < output.side; ++y) {
        const float* const first = input.at(y * stride_, 0) - before * (input.row() + input.pixel);
        for (std::size_t c = 0; c < channels; c += kLanes) {
            Vector w[9];
            for (std::size_t tap = 0; tap < 9; ++tap) w[tap] = load(&weights_[tap * channels + c]);
            const Vector bias = load(&bias_[c]);
            const float* from = first + c;
            float* to = output.at(y, 0) + c;
            for (std::size_t x = 0; x < output.side; ++x) {
                Vector sum{};
                for (std::size_t tap = 0; tap < 9; ++tap) {
                    sum += w[tap] * load(from + tap / 3 * input.row() + tap % 3 * input.pixel);
                }
                sum += bias;
                store(to, relu6_ ? relu6(sum) : sum);
                from += stride_ * input.pixel;
                to += output.pixel;
            }
        }
    }
}

}  // namespace ssd
