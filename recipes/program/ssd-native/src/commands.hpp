// What the program does; `main` reads the first word and tells the faults.
#pragma once

#include "arguments.hpp"
#include "postprocess.hpp"

namespace ssd {

// Answers frames on standard input.
int answer_frames(Arguments arguments);

// Measures the network, or answers queries of a program that does.
int benchmark(Arguments arguments);

// Detects in files of images.
int detect(Arguments arguments);

// Scores results against annotations.
int score_results(Arguments arguments);

// Takes a flag that shapes detections; false when it is none of these.
bool take_rule(const std::string& flag, Arguments& arguments, Rules& rules);

// Box and score of a detection as they are told everywhere: `[left,top,width,height]`, a number.
std::string box_text(const Detection& detection);
std::string score_text(const Detection& detection);

}  // namespace ssd
