#include "image.hpp"

#include <algorithm>
#include <cstring>

#include "codecs.hpp"
#include "files.hpp"

namespace ssd {
namespace {

bool begins(const unsigned char* data, std::size_t size, const char* with, std::size_t length) {
    return size >= length && std::memcmp(data, with, length) == 0;
}

}  // namespace

TooLarge::TooLarge(std::size_t width, std::size_t height)
    : Error(std::to_string(width) + " x " + std::to_string(height) +
            " pixels; 16384 a side and 67108864 in all are the most") {}

Image blank(std::size_t width, std::size_t height) {
    if (!fits(width, height)) throw TooLarge(width, height);
    return {width, height, std::vector<std::uint8_t>(width * height * 3)};
}

Image upright(Image image, unsigned orientation) {
    if (orientation < 2 || orientation > 8) return image;
    const bool turned = orientation >= 5;
    const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
    const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 ||
                            orientation == 7;
    Image result = turned ? blank(image.height, image.width) : blank(image.width, image.height);
    std::uint8_t* to = result.rgb.data();
    for (std::size_t y = 0; y < result.height; ++y) {
        for (std::size_t x = 0; x < result.width; ++x, to += 3) {
            const std::size_t across = turned ? y : x, down = turned ? x : y;
            const std::size_t column = from_right ? image.width - 1 - across : across;
            const std::size_t row = from_below ? image.height - 1 - down : down;
            std::copy_n(&image.rgb[(row * image.width + column) * 3], 3, to);
        }
    }
    return result;
}

Image read_image(const std::string& path) {
    const File file(path);
    unsigned char magic[8];
    const std::size_t got = std::fread(magic, 1, sizeof magic, file.get());
    std::rewind(file.get());
    try {
        if (begins(magic, got, "\x89PNG\r\n\x1a\n", 8)) return read_png(file.get());
        if (begins(magic, got, "\xff\xd8\xff", 3)) return read_jpeg(file.get());
    } catch (const TooLarge& error) {
        throw Error("`" + path + "` is too large: " + error.what());
    } catch (const Error& error) {
        throw Error("`" + path + "` is broken: " + error.what());
    }
    throw Error("`" + path + "` is not a PNG or JPEG image");
}

}  // namespace ssd
