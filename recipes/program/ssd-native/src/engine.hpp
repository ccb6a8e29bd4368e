// Runs a network: weights packed once, one arena for all activations, no allocation afterwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "resize.hpp"
#include "weights.hpp"

namespace ssd {

// What the heads say about every anchor; lives until the engine's next run.
struct Outputs {
    const float* scores;  // [anchors][classes], logits
    const float* boxes;   // [anchors][4]: centre x, centre y, width, height against the anchor
    std::size_t anchors, classes;
};

class Engine {
public:
    // Throws Error when the network would need more than 1 GiB of activations.
    explicit Engine(const Model& model);

    // Steps point into the arena.
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // An image of width * height * 3 bytes, of any size.
    Outputs run(const std::uint8_t* rgb, std::size_t width, std::size_t height) {
        return run(resize(rgb, width, height));
    }

    // The two halves of that. The resized image, size() bytes, lives until the next one.
    const std::uint8_t* resize(const std::uint8_t* rgb, std::size_t width, std::size_t height) {
        return resizer_.run(rgb, width, height);
    }
    Outputs run(const std::uint8_t* resized);

    // Bytes of an image that the network takes.
    std::size_t size() const { return image_.side * image_.side * 3; }

private:
    struct Step {
        Packed convolution;
        View input, output;
    };

    void load_image(const std::uint8_t* rgb);

    std::vector<float> arena_;
    std::vector<Step> steps_;
    View image_{};
    Resizer resizer_;
    Outputs outputs_{};
    std::array<float, 256> levels_{};  // a colour value as the network sees it
};

}  // namespace ssd
