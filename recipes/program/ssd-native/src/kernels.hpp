// The two kernels: a matrix product that serves 3x3 and 1x1 convolutions, and a depthwise 3x3.
//
// Activations are NHWC. The product computes a tile of pixels x 16 channels in registers; its
// weights are packed once, so that the innermost loop reads both operands in order.
#pragma once

#include <cstddef>
#include <vector>

#include "weights.hpp"

namespace ssd {

// Output channels of one panel of packed weights. Channels of activations are padded to it.
inline constexpr std::size_t kPanel = 16;

constexpr std::size_t padded(std::size_t channels) {
    return (channels + kPanel - 1) / kPanel * kPanel;
}

// An activation: `side` x `side` pixels of `channels` used floats, `pixel` floats apart. With a
// border of 1 there is a frame of zero pixels around it. `data` is the first pixel, border
// included.
struct View {
    float* data;
    std::size_t side, channels, pixel, border;

    std::size_t row() const { return (side + 2 * border) * pixel; }
    std::size_t size() const { return (side + 2 * border) * row(); }
    float* at(std::size_t y, std::size_t x) const {
        return data + (y + border) * row() + (x + border) * pixel;
    }
};

// A convolution with its weights in the order of reading.
class Packed {
public:
    // `input_pixel` is the distance between the input's pixels: 3 for the image, else padded.
    Packed(const Convolution& convolution, std::size_t input_pixel);

    // Needs a border of 1 around the input for size 3. The output's border is not touched.
    void run(const View& input, const View& output) const;

private:
    void pack_panels(const Convolution& convolution, std::size_t input_pixel);
    void pack_channels(const Convolution& convolution);
    void run_product(const View& input, const View& output) const;
    void run_depthwise(const View& input, const View& output) const;

    std::size_t size_, stride_, outputs_;
    bool depthwise_, relu6_;
    // Product: [panel][tap row][input run][16]. Depthwise: [9][padded channels].
    std::vector<float> weights_;
    std::vector<float> bias_;  // padded with zeros
};

}  // namespace ssd
