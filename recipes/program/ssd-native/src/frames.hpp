// Frames on standard input: `SSDF`, width and height as 32-bit little-endian numbers, RGB.
#pragma once

#include <cstdio>

#include "image.hpp"

namespace ssd {

// Frames and logits are bytes, which Windows would otherwise translate.
void use_binary_pipes();

// The next frame; false at the end of the input. Throws Error for what is no frame.
bool read_frame(std::FILE* input, Image& frame);

}  // namespace ssd
