// The command line: flags with and without values, and words.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace ssd {

// A fault of the command line, told in one sentence.
struct Usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Takes one word after the other.
class Arguments {
public:
    Arguments(int count, char** words) : words_(words, words + count) {}

    bool more() const { return at_ < words_.size(); }
    std::string next() { return words_[at_++]; }

    // The value of the flag that was taken last.
    std::string value();

    // That as a number within a range.
    double number(double least, double most);

private:
    std::vector<std::string> words_;
    std::size_t at_ = 0;
};

// Whether a word is written as a flag; `-` alone is not.
inline bool is_flag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

}  // namespace ssd
