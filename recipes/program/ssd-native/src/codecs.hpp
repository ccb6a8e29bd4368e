// The decoders. Each reads a file from its beginning and gives upright RGB; each throws Error with
// what is wrong, without the file's name, or TooLarge.
//
// The libraries report faults by longjmp. What lies between a setjmp and its longjmp is their C
// code and callbacks and steps whose locals need no destructor, so nothing is skipped.
#pragma once

#include <cstdio>

#include "image.hpp"

namespace ssd {

Image read_png(std::FILE* file);
Image read_jpeg(std::FILE* file);

// The orientation that EXIF data states, from their TIFF header on; 1 where they state none.
unsigned exif_orientation(const unsigned char* data, std::size_t size);

// Decodes two small images. Returns whether they were right; prints what was not.
bool codec_test();

}  // namespace ssd
