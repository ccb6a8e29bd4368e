// Drawing: a colour image that outlines are filled into.
//
// A pixel's coverage is counted on 2 x 2 sample points, so edges have five levels.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "outline.hpp"

namespace shapes {

struct Colour {
    std::array<std::int64_t, 3> rgb;
};

class Canvas {
public:
    Canvas(std::int64_t width, std::int64_t height)
        : width_(width),
          height_(height),
          rgb_(static_cast<std::size_t>(width * height * 3)),
          row_coverage_(static_cast<std::size_t>(width)) {}

    // From one colour at the border to another at the opposite one, along a direction.
    void gradient(const Colour& from, const Colour& to, std::int64_t turn) {
        const std::int64_t dx = cosine(turn), dy = sine(turn);
        const std::int64_t reach = std::abs(dx) * width_ + std::abs(dy) * height_;
        for (std::int64_t y = 0; y < height_; ++y) {
            for (std::int64_t x = 0; x < width_; ++x) {
                const std::int64_t along = dx * (2 * x + 1 - width_) + dy * (2 * y + 1 - height_);
                const std::int64_t weight = floor_div((along + reach) * 128, reach);  // 0 to 256
                for (std::size_t c = 0; c < 3; ++c) {
                    pixel(x, y)[c] = static_cast<std::uint8_t>(
                        (from.rgb[c] * (256 - weight) + to.rgb[c] * weight + 128) >> 8);
                }
            }
        }
    }

    // Fills an outline; returns the number of sample points covered inside the image.
    std::int64_t fill(const Outline& outline, const Colour& colour) {
        const Box box = bounds(outline);
        const std::int64_t first = std::max<std::int64_t>(0, floor_div(box.top, kPixel));
        const std::int64_t last = std::min(height_ - 1, floor_div(box.bottom, kPixel));
        std::int64_t samples = 0;
        for (std::int64_t y = first; y <= last; ++y) {
            std::fill(row_coverage_.begin(), row_coverage_.end(), std::uint8_t{0});
            samples += cover(outline, y * kPixel + kPixel / 4);
            samples += cover(outline, y * kPixel + kPixel * 3 / 4);
            blend(y, colour);
        }
        return samples;
    }

    // A shift of each row's colours, then of each value: what a cheap sensor adds.
    void add_noise(Random& random) {
        for (std::int64_t y = 0; y < height_; ++y) {
            std::array<std::int64_t, 3> shift{};
            for (std::int64_t& value : shift) value = random.between(-4, 4);
            std::uint32_t bits = 0;
            std::uint8_t* const row = pixel(0, y);
            for (std::int64_t i = 0; i < width_ * 3; ++i) {
                bits = i % 16 == 0 ? random.next() : bits >> 2U;
                const std::int64_t grain = (bits & 1U) + (bits >> 1U & 1U);  // 0 1 1 2
                const std::int64_t value =
                    row[i] + shift[static_cast<std::size_t>(i % 3)] + grain - 1;
                row[i] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
            }
        }
    }

    std::vector<std::uint8_t> take() { return std::move(rgb_); }

private:
    std::uint8_t* pixel(std::int64_t x, std::int64_t y) {
        return &rgb_[static_cast<std::size_t>((y * width_ + x) * 3)];
    }

    // Counts the sample points of one sample row that lie inside the outline.
    std::int64_t cover(const Outline& outline, std::int64_t y) {
        crossings_.clear();
        for (const Polygon& polygon : outline) {
            Point a = polygon.back();
            for (const Point& b : polygon) {
                if ((a.y <= y) != (b.y <= y)) {
                    const Point& low = a.y < b.y ? a : b;
                    const Point& high = a.y < b.y ? b : a;
                    crossings_.push_back(low.x +
                                         floor_div((y - low.y) * (high.x - low.x), high.y - low.y));
                }
                a = b;
            }
        }
        std::sort(crossings_.begin(), crossings_.end());
        std::int64_t samples = 0;
        for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2) {
            // Sample i of a row lies at i * 128 + 64.
            const std::int64_t from = std::max<std::int64_t>(0, floor_div(crossings_[i] + 63, 128));
            const std::int64_t to = std::min(2 * width_, floor_div(crossings_[i + 1] + 63, 128));
            for (std::int64_t x = from; x < to; ++x)
                ++row_coverage_[static_cast<std::size_t>(x / 2)];
            samples += std::max<std::int64_t>(0, to - from);
        }
        return samples;
    }

    void blend(std::int64_t y, const Colour& colour) {
        for (std::int64_t x = 0; x < width_; ++x) {
            const std::int64_t in = row_coverage_[static_cast<std::size_t>(x)];
            if (in == 0) continue;
            for (std::size_t c = 0; c < 3; ++c) {
                std::uint8_t& value = pixel(x, y)[c];
                value = static_cast<std::uint8_t>((value * (4 - in) + colour.rgb[c] * in + 2) / 4);
            }
        }
    }

    std::int64_t width_, height_;
    std::vector<std::uint8_t> rgb_;
    std::vector<std::uint8_t> row_coverage_;
    std::vector<std::int64_t> crossings_;
};

}  // namespace shapes
