// Images as the engine takes them, and their files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weights.hpp"

namespace ssd {

inline constexpr std::size_t kLongestSide = 16384;
inline constexpr std::size_t kMostPixels = std::size_t{1} << 26U;

// RGB, rows from the top.
struct Image {
    std::size_t width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

// Whether an image of this size is taken at all; to be asked before any memory is.
inline bool fits(std::size_t width, std::size_t height) {
    return width >= 1 && height >= 1 && width <= kLongestSide && height <= kLongestSide &&
           width * height <= kMostPixels;
}

// An image that is well, but larger than `fits` allows.
struct TooLarge : Error {
    TooLarge(std::size_t width, std::size_t height);
};

// Makes room for an image; throws TooLarge.
Image blank(std::size_t width, std::size_t height);

// Turns an image by EXIF's orientation, 1 to 8; anything else leaves it as it is.
Image upright(Image image, unsigned orientation);

// Reads a PNG or JPEG file as upright RGB: transparent parts become white, more than 8 bits a
// channel are cut to 8. Throws Error with one sentence that names the file.
Image read_image(const std::string& path);

}  // namespace ssd
