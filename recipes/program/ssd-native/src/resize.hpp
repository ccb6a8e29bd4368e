// Stretches an RGB image to a square, with whole numbers only: the same pixels on every machine.
//
// Each output pixel is a weighted sum under a triangle as wide as the larger of an input and an
// output pixel, centres at half pixels: bilinear when enlarging, averaging when shrinking. Rows
// first, to 7 fraction bits, then columns; both round half up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ssd {

class Resizer {
public:
    explicit Resizer(std::size_t side) : side_(side) {}

    // `rgb` holds width * height * 3 bytes; the result, side * side * 3 bytes, lives until the next
    // call.
    const std::uint8_t* run(const std::uint8_t* rgb, std::size_t width, std::size_t height);

private:
    // The weights of one axis: output i sums `counts[i]` inputs from `firsts[i]` on.
    struct Axis {
        std::size_t input = 0;
        std::vector<std::size_t> firsts, starts;  // starts[i]: place of output i's first weight
        std::vector<std::int32_t> weights;        // of 1/16384
    };

    void prepare(Axis& axis, std::size_t input) const;

    std::size_t side_;
    Axis vertical_, horizontal_;
    std::vector<std::int32_t> row_;
    std::vector<std::uint8_t> result_;
};

}  // namespace ssd
