// A PNG writer for 8-bit RGB (PNG 1.2, RFC 1950, RFC 1951).
//
// Each row takes the filter with the smallest sum of absolute differences; the deflate stream is
// one block of Huffman-coded literals. The images are noisy, so searching for repeats would gain
// nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <queue>
#include <string_view>
#include <vector>

namespace shapes {

using Bytes = std::vector<std::uint8_t>;

// ---- row filters ----

inline int paeth(int left, int up, int corner) {
    const int to_left = std::abs(up - corner), to_up = std::abs(left - corner);
    const int to_corner = std::abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner) return left;
    return to_up <= to_corner ? up : corner;
}

// One row as filter byte and differences. `above` is the row before it (zeros for the first).
inline void filter_row(int filter, const std::uint8_t* row, const std::uint8_t* above,
                       std::size_t size, Bytes& out) {
    out.resize(size + 1);
    out[0] = static_cast<std::uint8_t>(filter);
    for (std::size_t i = 0; i < size; ++i) {
        const int left = i < 3 ? 0 : row[i - 3], corner = i < 3 ? 0 : above[i - 3], up = above[i];
        const int guesses[5] = {0, left, up, (left + up) / 2,
                                filter == 4 ? paeth(left, up, corner) : 0};
        out[i + 1] = static_cast<std::uint8_t>(row[i] - guesses[filter]);
    }
}

inline std::uint64_t cost(const Bytes& filtered) {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < filtered.size(); ++i) {
        sum += static_cast<std::uint64_t>(
            std::abs(static_cast<int>(static_cast<std::int8_t>(filtered[i]))));
    }
    return sum;
}

inline Bytes filter_image(const Bytes& rgb, std::size_t width, std::size_t height) {
    const std::size_t stride = width * 3;
    const Bytes zeros(stride, 0);
    Bytes all, best, trial;
    all.reserve((stride + 1) * height);
    for (std::size_t y = 0; y < height; ++y) {
        const std::uint8_t* const row = rgb.data() + y * stride;
        const std::uint8_t* const above = y == 0 ? zeros.data() : row - stride;
        filter_row(0, row, above, stride, best);
        for (int filter = 1; filter < 5; ++filter) {
            filter_row(filter, row, above, stride, trial);
            if (cost(trial) < cost(best)) best.swap(trial);
        }
        all.insert(all.end(), best.begin(), best.end());
    }
    return all;
}

// ---- deflate ----

// Literals and the end-of-block symbol.
inline constexpr std::size_t kSymbols = 257;
inline constexpr unsigned kLongestCode = 15;
using CodeLengths = std::array<unsigned, kSymbols>;

// Depth of each symbol in the Huffman tree of the counts; 0 for a symbol that does not occur.
inline CodeLengths huffman_depths(const std::array<std::uint64_t, kSymbols>& counts) {
    using Node = std::pair<std::uint64_t, std::size_t>;  // weight, place; ties go by place
    std::vector<std::size_t> parents(kSymbols);
    std::priority_queue<Node, std::vector<Node>, std::greater<>> open;
    for (std::size_t i = 0; i < kSymbols; ++i) {
        if (counts[i] > 0) open.emplace(counts[i], i);
    }
    while (open.size() > 1) {
        const Node a = open.top();
        open.pop();
        const Node b = open.top();
        open.pop();
        parents[a.second] = parents[b.second] = parents.size();
        open.emplace(a.first + b.first, parents.size());
        parents.push_back(0);
    }
    CodeLengths depths{};
    for (std::size_t i = 0; i < kSymbols; ++i) {
        if (counts[i] == 0) continue;
        for (std::size_t at = i; parents[at] != 0; at = parents[at]) ++depths[i];
    }
    return depths;
}

// Code lengths of at most 15 bits: counts are flattened until the tree is low enough.
inline CodeLengths code_lengths(std::array<std::uint64_t, kSymbols> counts) {
    CodeLengths lengths = huffman_depths(counts);
    while (*std::max_element(lengths.begin(), lengths.end()) > kLongestCode) {
        for (std::uint64_t& count : counts) count = (count + 1) / 2;
        lengths = huffman_depths(counts);
    }
    return lengths;
}

class BitWriter {
public:
    explicit BitWriter(Bytes& out) : out_(out) {}

    // The lowest `count` bits, least significant first (RFC 1951, 3.1.1).
    void put(std::uint64_t bits, unsigned count) {
        pending_ |= bits << used_;
        for (used_ += count; used_ >= 8; used_ -= 8, pending_ >>= 8U) {
            out_.push_back(static_cast<std::uint8_t>(pending_));
        }
    }

    void finish() {
        if (used_ > 0) put(0, 8 - used_);
    }

private:
    Bytes& out_;
    std::uint64_t pending_ = 0;
    unsigned used_ = 0;
};

inline std::uint32_t reversed(std::uint32_t code, unsigned length) {
    std::uint32_t result = 0;
    for (unsigned i = 0; i < length; ++i) result |= (code >> i & 1U) << (length - 1 - i);
    return result;
}

// Canonical codes of the lengths (RFC 1951, 3.2.2), bits reversed for writing.
inline std::array<std::uint32_t, kSymbols> canonical_codes(const CodeLengths& lengths) {
    std::array<std::uint32_t, kSymbols> codes{};
    std::uint32_t code = 0;
    for (unsigned length = 1; length <= kLongestCode; ++length, code <<= 1U) {
        for (std::size_t i = 0; i < kSymbols; ++i) {
            if (lengths[i] == length) codes[i] = reversed(code++, length);
        }
    }
    return codes;
}

// A zlib stream of one dynamic Huffman block.
inline Bytes deflate(const Bytes& data) {
    std::array<std::uint64_t, kSymbols> counts{};
    for (const std::uint8_t byte : data) ++counts[byte];
    counts[256] = 1;
    const CodeLengths lengths = code_lengths(counts);
    const auto codes = canonical_codes(lengths);

    Bytes out{0x78, 0x01};
    out.reserve(data.size() / 2);
    BitWriter bits(out);
    bits.put(1, 1);  // the last block
    bits.put(2, 2);  // dynamic codes
    bits.put(kSymbols - 257, 5);
    bits.put(0, 5);  // one distance code
    bits.put(19 - 4, 4);
    // The code of the code lengths: 0 to 15 take 4 bits each, the three repeats are not used.
    for (int i = 0; i < 19; ++i) bits.put(i < 3 ? 0 : 4, 3);
    for (const unsigned length : lengths) bits.put(reversed(length, 4), 4);
    bits.put(reversed(1, 4), 4);  // the distance code that nobody uses
    for (const std::uint8_t byte : data) bits.put(codes[byte], lengths[byte]);
    bits.put(codes[256], lengths[256]);
    bits.finish();

    std::uint32_t a = 1, b = 0;  // Adler-32
    for (const std::uint8_t byte : data) {
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
    }
    for (const std::uint32_t half : {b, a}) {
        out.push_back(static_cast<std::uint8_t>(half >> 8U));
        out.push_back(static_cast<std::uint8_t>(half));
    }
    return out;
}

// ---- chunks ----

inline std::uint32_t crc32(const std::uint8_t* data, std::size_t size) {
    static const std::array<std::uint32_t, 256> table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            t[i] = i;
            for (int bit = 0; bit < 8; ++bit)
                t[i] = (t[i] & 1U) != 0 ? t[i] >> 1U ^ 0xedb88320U : t[i] >> 1U;
        }
        return t;
    }();
    std::uint32_t crc = 0xffffffffU;
    for (std::size_t i = 0; i < size; ++i) crc = crc >> 8U ^ table[(crc ^ data[i]) & 255U];
    return ~crc;
}

inline void put_big_endian(Bytes& out, std::uint64_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
    }
}

inline void put_chunk(Bytes& out, std::string_view type, const Bytes& data) {
    put_big_endian(out, data.size());
    const std::size_t start = out.size();
    out.insert(out.end(), type.begin(), type.end());
    out.insert(out.end(), data.begin(), data.end());
    put_big_endian(out, crc32(out.data() + start, out.size() - start));
}

// The file of an image of width * height * 3 bytes.
inline Bytes encode_png(const Bytes& rgb, std::size_t width, std::size_t height) {
    Bytes out{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    Bytes header;
    put_big_endian(header, width);
    put_big_endian(header, height);
    for (const int value : {8, 2, 0, 0, 0}) header.push_back(static_cast<std::uint8_t>(value));
    put_chunk(out, "IHDR", header);
    put_chunk(out, "IDAT", deflate(filter_image(rgb, width, height)));
    put_chunk(out, "IEND", {});
    return out;
}

}  // namespace shapes
