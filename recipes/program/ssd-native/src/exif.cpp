#include "codecs.hpp"

namespace ssd {
namespace {

constexpr unsigned kOrientation = 0x0112, kShort = 3;

// Numbers of either byte order at places that may lie outside; those are 0.
struct Tiff {
    const unsigned char* data;
    std::size_t size;
    bool little;

    std::size_t byte(std::size_t at) const { return at < size ? data[at] : 0; }
    std::size_t two(std::size_t at) const {
        return little ? byte(at) | byte(at + 1) << 8U : byte(at) << 8U | byte(at + 1);
    }
    std::size_t four(std::size_t at) const {
        return little ? two(at) | two(at + 2) << 16U : two(at) << 16U | two(at + 2);
    }
};

}  // namespace

unsigned exif_orientation(const unsigned char* data, std::size_t size) {
    if (size < 8 || data[0] != data[1] || (data[0] != 'I' && data[0] != 'M')) return 1;
    const Tiff tiff{data, size, data[0] == 'I'};
    const std::size_t folder = tiff.four(4);
    if (tiff.two(2) != 42 || folder >= size) return 1;
    const std::size_t entries = tiff.two(folder);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = folder + 2 + 12 * i;
        if (tiff.two(entry) == kOrientation && tiff.two(entry + 2) == kShort) {
            return static_cast<unsigned>(tiff.two(entry + 8));
        }
    }
    return 1;
}

}  // namespace ssd
