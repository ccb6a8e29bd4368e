// The file of a network: a text header, then little-endian floats.
//
// The format is described in ssd_shapes.py of the component ssd-mobilenet-shapes. A file is
// checked completely before anything is made from it, so the rest may trust a Model.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace ssd {

// A fault of the input, told in one sentence.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Width and height as parts of the image's sides.
struct Anchor {
    float width, height;
};

// One convolution. Weights are [size][size][inputs][outputs], or [size][size][channels] when
// depthwise; then inputs == outputs.
struct Convolution {
    std::size_t size, stride, inputs, outputs;
    bool depthwise, relu6;
    std::vector<float> weights, bias;
};

// Either a convolution of the trunk, or a head on the trunk's present activation.
struct Layer {
    std::vector<Convolution> parts;  // trunk: one; head: depthwise, scores, boxes
    std::vector<Anchor> anchors;     // of a head
    bool is_head() const { return !anchors.empty(); }
};

struct Model {
    std::size_t side = 0, classes = 0;
    float centre_variance = 0, size_variance = 0;
    std::vector<Layer> layers;
};

// Reads and checks a weights file; throws Error.
Model read_model(const std::string& path);

// The same from bytes in memory; `name` is for messages.
Model parse_model(const std::vector<unsigned char>& bytes, const std::string& name);

}  // namespace ssd
