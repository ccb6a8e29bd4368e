#include "json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "text.hpp"

namespace ssd {
namespace {

constexpr std::size_t kDeepest = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void Json::fail(const std::string& why) const {
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
    const auto line = std::count(text_.begin(), end, '\n') + 1;
    throw Error("`" + name_ + "` cannot be used: line " + std::to_string(line) + ": " + why);
}

// The next character that is no white space; zero at the end.
char Json::peek() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != 0)
        ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
}

void Json::need(char mark) {
    if (peek() != mark) fail(std::string("`") + mark + "` is missing");
    ++at_;
}

void Json::open(char bracket) {
    need(bracket);
    if (++depth_ > kDeepest) fail("it is nested too deeply");
}

bool Json::closes(char bracket) {
    if (peek() != bracket) return false;
    ++at_;
    return true;
}

// Whether another value follows in an object or array.
bool Json::follows(char bracket) {
    if (closes(bracket)) return false;
    need(',');
    return true;
}

bool Json::word(const char* name) {
    if (text_.compare(at_, std::strlen(name), name) != 0) return false;
    at_ += std::strlen(name);
    return true;
}

double Json::number() {
    // The C library takes more than JSON allows, such as `inf` and `0x10`.
    peek();
    std::size_t end = at_;
    const auto digits = [&] {
        const std::size_t first = end;
        while (end < text_.size() && is_digit(text_[end])) ++end;
        return end > first;
    };
    const auto one_of = [&](const char* marks) {
        const bool there = end < text_.size() && text_[end] != 0 &&
                           std::strchr(marks, text_[end]) != nullptr;
        if (there) ++end;
        return there;
    };
    one_of("-");
    bool good = digits();
    if (good && one_of(".")) good = digits();
    if (good && one_of("eE")) {
        one_of("+-");
        good = digits();
    }
    if (!good) fail("a number is missing");
    const double value = std::strtod(text_.substr(at_, end - at_).c_str(), nullptr);
    if (!std::isfinite(value)) fail("a number is too large");
    at_ = end;
    return value;
}

long long Json::whole() {
    const double value = number();
    // Up to here every whole number is a double of its own.
    if (value != std::floor(value) || std::abs(value) > 9007199254740992.0) {
        fail("a whole number is missing");
    }
    return static_cast<long long>(value);
}

unsigned long Json::four_digits() {
    unsigned long value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        const char* const hex = "0123456789abcdefABCDEF";
        const char* const found = c == 0 ? nullptr : std::strchr(hex, c);
        if (found == nullptr) fail("an escape in a text is wrong");
        const auto place = static_cast<unsigned long>(found - hex);
        value = value * 16 + (place < 16 ? place : place - 6);
    }
    return value;
}

// The code point of an escape, whose backslash is behind.
unsigned long Json::escape() {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (c != 'u') {
        const char* const found = c == 0 ? nullptr : std::strchr(names, c);
        if (found == nullptr) fail("an escape in a text is wrong");
        return static_cast<unsigned char>(values[found - names]);
    }
    const unsigned long first = four_digits();
    if (first < 0xD800 || first >= 0xE000) return first;
    if (first >= 0xDC00 || !word("\\u")) return 0xFFFD;
    const unsigned long second = four_digits();
    if (second < 0xDC00 || second >= 0xE000) return 0xFFFD;
    return 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00);
}

std::string Json::text() {
    need('"');
    std::string value;
    for (;;) {
        if (at_ >= text_.size()) fail("a text does not end");
        const char c = text_[at_++];
        if (c == '"') return value;
        if (static_cast<unsigned char>(c) < 0x20) fail("a text has a control character");
        if (c == '\\') value += utf8(escape());
        else value += c;
    }
}

void Json::skip() {
    const char next = peek();
    if (next == '{') members([this](const std::string&) { skip(); });
    else if (next == '[') items([this] { skip(); });
    else if (next == '"') text();
    else if (!word("true") && !word("false") && !word("null")) number();
}

void Json::end() {
    if (peek() != '\0' || at_ < text_.size()) fail("something follows its end");
}

}  // namespace ssd
