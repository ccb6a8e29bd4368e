#include "text.hpp"

#include <cstdio>

namespace ssd {
namespace {

constexpr unsigned long kWrong = 0x110000;

// The code point at a place, which moves on to the next one: by one byte where there is none.
unsigned long next(const std::string& text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) return first;
    if (first < 0xC2 || first > 0xF4) return kWrong;
    const std::size_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (text.size() - at < more) return kWrong;
    unsigned long point = first & (0x3FU >> more);
    for (std::size_t i = 0; i < more; ++i) {
        const auto byte = static_cast<unsigned char>(text[at + i]);
        if ((byte & 0xC0U) != 0x80) return kWrong;
        point = point << 6U | (byte & 0x3FU);
    }
    const unsigned long least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (point < least || point >= kWrong || (point >= 0xD800 && point < 0xE000)) return kWrong;
    at += more;
    return point;
}

bool moves_a_cursor(unsigned long point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

std::string escaped(const char* format, unsigned long value) {
    char text[16];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

}  // namespace

std::string shown(const std::string& text) {
    std::string line;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        const unsigned long point = next(text, at);
        if (point != kWrong && !moves_a_cursor(point)) {
            line.append(text, from, at - from);
            continue;
        }
        for (std::size_t i = from; i < at; ++i) {
            line += escaped("\\x%02lx", static_cast<unsigned char>(text[i]));
        }
    }
    return line;
}

std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        const unsigned long point = next(text, at);
        if (point == kWrong) json += utf8(0xFFFD);
        else if (point < 0x20) json += escaped("\\u%04lx", point);
        else json.append(point == '"' || point == '\\' ? "\\" : "").append(text, from, at - from);
    }
    return json += '"';
}

std::string utf8(unsigned long point) {
    if (point < 0x80) return {static_cast<char>(point)};
    std::string bytes;
    const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    for (int i = 0; i < more; ++i, point >>= 6U) {
        bytes.insert(bytes.begin(), static_cast<char>(0x80U | (point & 0x3FU)));
    }
    const unsigned marks[] = {0xC0, 0xE0, 0xF0};
    bytes.insert(bytes.begin(), static_cast<char>(marks[more - 1] | point));
    return bytes;
}

}  // namespace ssd
