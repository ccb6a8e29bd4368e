// Texts from outside, such as file names, for people and for JSON.
#pragma once

#include <string>

namespace ssd {

// As one line of a terminal: what would move a cursor or is not UTF-8 is shown as `\x1b`.
std::string shown(const std::string& text);

// As a JSON string; bytes that are not UTF-8 become U+FFFD.
std::string quoted(const std::string& text);

// A code point as UTF-8.
std::string utf8(unsigned long point);

}  // namespace ssd
