#include "commands.hpp"

#include <cstdio>

namespace ssd {

bool take_rule(const std::string& flag, Arguments& arguments, Rules& rules) {
    if (flag == "--threshold") rules.threshold = static_cast<float>(arguments.number(0, 1));
    else if (flag == "--overlap") rules.overlap = static_cast<float>(arguments.number(0, 1));
    else if (flag == "--max-detections")
        rules.most = static_cast<std::size_t>(arguments.number(1, 10000));
    else return false;
    return true;
}

std::string box_text(const Detection& d) {
    char text[200];
    std::snprintf(text, sizeof text, "[%.2f,%.2f,%.2f,%.2f]", static_cast<double>(d.left),
                  static_cast<double>(d.top), static_cast<double>(d.width),
                  static_cast<double>(d.height));
    return text;
}

std::string score_text(const Detection& d) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6f", static_cast<double>(d.score));
    return text;
}

}  // namespace ssd
