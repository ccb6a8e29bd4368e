// Reads JSON (RFC 8259) in one pass, without making a tree of it: a caller takes the values that
// it wants as they come and skips the others.
#pragma once

#include <string>

#include "weights.hpp"

namespace ssd {

class Json {
public:
    // `name` is for messages; every fault is an Error that names it and the line.
    Json(std::string text, std::string name) : text_(std::move(text)), name_(std::move(name)) {}

    // An object: `take(key)` is called for each member, and must take or skip its value.
    template <typename Take>
    void members(const Take& take) {
        open('{');
        for (bool more = !closes('}'); more; more = follows('}')) {
            const std::string key = text();
            need(':');
            take(key);
        }
        --depth_;
    }

    // An array: `take()` is called for each item, and must take or skip it.
    template <typename Take>
    void items(const Take& take) {
        open('[');
        for (bool more = !closes(']'); more; more = follows(']')) take();
        --depth_;
    }

    double number();
    long long whole();
    std::string text();
    void skip();

    // Nothing but white space may be left.
    void end();

    [[noreturn]] void fail(const std::string& why) const;

private:
    char peek();
    void open(char bracket);
    bool closes(char bracket);
    bool follows(char bracket);
    void need(char mark);
    bool word(const char* name);
    unsigned long four_digits();
    unsigned long escape();

    std::string text_, name_;
    std::size_t at_ = 0, depth_ = 0;
};

}  // namespace ssd
