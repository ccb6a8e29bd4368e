// From what the network says about anchors to objects in the image.
#pragma once

#include <cstddef>
#include <vector>

#include "engine.hpp"
#include "weights.hpp"

namespace ssd {

struct Rules {
    float threshold = 0.3F;  // least score
    float overlap = 0.5F;    // intersection over union above which the lower score goes
    std::size_t most = 100;  // detections an image
};

// Box in pixels of the original image; category ids begin at 1.
struct Detection {
    float left, top, width, height, score;
    std::size_t category;
};

// The anchors of a network, made once.
class Decoder {
public:
    explicit Decoder(const Model& model);

    // Best first. Non-maximum suppression is by class.
    std::vector<Detection> run(const Outputs& outputs, std::size_t width, std::size_t height,
                               const Rules& rules) const;

private:
    struct Centred {
        float x, y, width, height;
    };

    bool decode(const float* offsets, const Centred& anchor, Detection& detection) const;

    float centre_variance_, size_variance_;
    std::vector<Centred> anchors_;
};

}  // namespace ssd
