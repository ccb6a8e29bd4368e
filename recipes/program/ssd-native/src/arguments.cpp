#include "arguments.hpp"

#include <cstdio>
#include <cstdlib>

namespace ssd {

std::string Arguments::value() {
    if (!more()) throw Usage("`" + words_[at_ - 1] + "` needs a value");
    return next();
}

double Arguments::number(double least, double most) {
    const std::string flag = words_[at_ - 1], text = value();
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0' || !(number >= least && number <= most)) {
        char range[80];
        std::snprintf(range, sizeof range, "` takes a number from %g to %g", least, most);
        throw Usage("`" + flag + range);
    }
    return number;
}

}  // namespace ssd
