#include "selftest.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "engine.hpp"
#include "postprocess.hpp"
#include "resize.hpp"
#include "weights.hpp"

namespace ssd {
namespace {

// Whole numbers from 0 to 65535 that look random (Knuth's MMIX generator).
class Numbers {
public:
    unsigned next() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<unsigned>(state_ >> 48U);
    }
    float weight() { return (static_cast<float>(next()) / 65536.0F - 0.5F) * 0.8F; }

private:
    unsigned long long state_ = 2020;
};

// A network with channel counts that fill no panel, as the bytes of its file.
std::vector<unsigned char> small_network() {
    std::string header =
        "ssd-f32 1\ninput 24 24 3\nclasses 3\nvariances 0.1 0.2\nconv 3 5 2\ndepthwise 5 1\n"
        "pointwise 5 21\nhead 21 0.2 0.2 0.3 0.1\ndepthwise 21 2\npointwise 21 34\nconv 34 18 1\n"
        "pointwise 18 7\nhead 7 0.5 0.5\nend\n";
    const std::size_t numbers =
        140 + 50 + 126 + (210 + 132 + 176) + 210 + 748 + (34 * 9 + 1) * 18 + 133 + (70 + 24 + 32);
    header.resize((header.size() + 63) / 64 * 64, '\n');
    std::vector<unsigned char> bytes(header.begin(), header.end());
    Numbers random;
    for (std::size_t i = 0; i < numbers; ++i) {
        const float value = random.weight();
        unsigned bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        for (unsigned shift = 0; shift < 32; shift += 8)
            bytes.push_back(static_cast<unsigned char>(bits >> shift));
    }
    return bytes;
}

struct Plain {
    std::size_t side, channels;
    std::vector<double> values;
};

// One convolution by the definition.
Plain convolve(const Convolution& conv, const Plain& in) {
    Plain out{in.side / conv.stride, conv.outputs, {}};
    const std::size_t before = conv.size == 3 && conv.stride == 1 ? 1 : 0;
    for (std::size_t i = 0; i < out.side * out.side * out.channels; ++i) {
        const std::size_t c = i % out.channels, x = i / out.channels % out.side,
                          y = i / out.channels / out.side;
        double sum = conv.bias[c];
        for (std::size_t tap = 0; tap < conv.size * conv.size; ++tap) {
            // Unsigned: a place before the first one becomes a very large one.
            const std::size_t from_y = y * conv.stride + tap / conv.size - before;
            const std::size_t from_x = x * conv.stride + tap % conv.size - before;
            if (from_y >= in.side || from_x >= in.side) continue;
            const double* pixel = &in.values[(from_y * in.side + from_x) * in.channels];
            const std::size_t inputs = conv.depthwise ? 1 : conv.inputs;
            for (std::size_t k = 0; k < inputs; ++k) {
                const std::size_t weight = (tap * inputs + k) * conv.outputs + c;
                sum += pixel[conv.depthwise ? c : k] * static_cast<double>(conv.weights[weight]);
            }
        }
        out.values.push_back(conv.relu6 ? std::clamp(sum, 0.0, 6.0) : sum);
    }
    return out;
}

// Largest difference between the engine and the definition over all scores and boxes.
double engine_error() {
    const Model model = parse_model(small_network(), "self-test");
    std::vector<std::uint8_t> rgb(model.side * model.side * 3);
    Numbers random;
    for (std::uint8_t& value : rgb) value = static_cast<std::uint8_t>(random.next() >> 8U);
    Engine engine(model);
    engine.run(rgb.data(), model.side,
               model.side);  // the second run must not see the first one's rest
    const Outputs outputs = engine.run(rgb.data(), model.side, model.side);

    Plain trunk{model.side, 3, {}};
    for (const std::uint8_t value : rgb) trunk.values.push_back(value / 127.5 - 1.0);
    const float* results[2] = {outputs.scores, outputs.boxes};
    double worst = 0;
    for (const Layer& layer : model.layers) {
        const Plain next = convolve(layer.parts[0], trunk);
        if (!layer.is_head()) {
            trunk = next;
            continue;
        }
        for (std::size_t part = 0; part < 2; ++part) {
            for (const double value : convolve(layer.parts[part + 1], next).values) {
                worst = std::max(worst, std::abs(value - static_cast<double>(*results[part]++)));
            }
        }
    }
    return worst;
}

bool resizes() {
    const std::vector<std::uint8_t> grey(5 * 7 * 3, 77);
    Resizer four(4);
    const std::uint8_t* flat = four.run(grey.data(), 5, 7);
    if (!std::all_of(flat, flat + 48, [](std::uint8_t value) { return value == 77; })) return false;
    // Two pixels, 0 and 200, to four: quarters of the way, by hand.
    const std::uint8_t pair[12] = {0, 0, 0, 200, 200, 200, 0, 0, 0, 200, 200, 200};
    const std::uint8_t* wide = four.run(pair, 2, 2);
    return wide[0] == 0 && wide[3] == 50 && wide[6] == 150 && wide[9] == 200;
}

// Three equal boxes: two of one class become one, the other class stays.
bool suppresses() {
    Model model;
    model.side = 1;
    model.classes = 2;
    model.centre_variance = model.size_variance = 0.1F;
    Layer head;
    head.anchors = {{0.5F, 0.5F}, {0.5F, 0.5F}, {0.5F, 0.5F}};
    model.layers.push_back(head);
    const float scores[6] = {2, -9, 1, -9, -9, 3}, boxes[12] = {};
    const auto found = Decoder(model).run({scores, boxes, 3, 2}, 100, 200, Rules{});
    return found.size() == 2 && found[0].category == 2 && found[1].category == 1 &&
           std::abs(found[1].score - 0.880797F) < 1e-5F && std::abs(found[0].left - 25) < 1e-3F &&
           std::abs(found[0].height - 100) < 1e-3F;
}

bool report(bool passed, const char* what) {
    if (!passed) std::printf("self-test failed: %s\n", what);
    return passed;
}

}  // namespace

bool self_test() {
    const bool engine = report(engine_error() < 1e-4, "the engine differs from the definition");
    const bool resize = report(resizes(), "resizing is wrong");
    return report(suppresses(), "suppression is wrong") && engine && resize;
}

}  // namespace ssd
