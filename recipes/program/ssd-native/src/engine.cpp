#include "engine.hpp"

#include <algorithm>

namespace ssd {
namespace {

constexpr std::size_t kLargestArena = std::size_t{1} << 28U;  // floats

// Parts of the arena. The trunk's activations alternate between the first two; a head uses the
// one that is free at that moment.
enum Slot : std::size_t { kEven, kOdd, kScores, kBoxes, kSlots };

// A view whose place is known only in its slot.
struct Place {
    Slot slot;
    std::size_t offset;
    View view;
};

struct PlannedStep {
    const Convolution* convolution;
    Place input, output;
};

Place activation(Slot slot, std::size_t side, std::size_t channels, std::size_t border) {
    return {slot, 0, {nullptr, side, channels, padded(channels), border}};
}

// Whether the activation after layer `index` is read by a 3x3 convolution.
bool needs_border(const Model& model, std::size_t index) {
    for (std::size_t next = index + 1; next < model.layers.size(); ++next) {
        if (model.layers[next].parts.front().size == 3) return true;
        if (!model.layers[next].is_head()) return false;
    }
    return false;
}

// Decides the place of every activation before any memory is taken.
class Plan {
public:
    explicit Plan(const Model& model) : image(activation(kEven, model.side, 3, 1)) {
        image.view.pixel = 3;
        Place trunk = image;
        reserve(trunk);
        for (std::size_t i = 0; i < model.layers.size(); ++i) {
            const Layer& layer = model.layers[i];
            if (layer.is_head()) add_head(layer, trunk);
            else trunk = add(layer.parts.front(), trunk, needs_border(model, i) ? 1 : 0);
        }
    }

    std::array<std::size_t, kSlots> sizes{};
    Place image;
    std::vector<PlannedStep> steps;
    std::size_t anchors = 0;

private:
    Place add(const Convolution& convolution, const Place& input, std::size_t border) {
        const Slot slot = input.slot == kEven ? kOdd : kEven;
        const std::size_t side = input.view.side / convolution.stride;
        const Place output = activation(slot, side, convolution.outputs, border);
        reserve(output);
        steps.push_back({&convolution, input, output});
        return output;
    }

    void add_head(const Layer& head, const Place& trunk) {
        const Place mixed = add(head.parts[0], trunk, 0);
        for (const Slot slot : {kScores, kBoxes}) {
            const Convolution& convolution = head.parts[slot == kScores ? 1 : 2];
            Place output = activation(slot, trunk.view.side, convolution.outputs, 0);
            output.view.pixel = convolution.outputs;  // results are dense
            output.offset = sizes[slot];
            reserve(output);
            steps.push_back({&convolution, mixed, output});
        }
        anchors += trunk.view.side * trunk.view.side * head.anchors.size();
    }

    void reserve(const Place& place) {
        std::size_t& size = sizes[place.slot];
        size = std::max(size, place.offset + place.view.size());
        if (size > kLargestArena) throw Error("the network needs more than 1 GiB of memory");
    }
};

void clear_border(const View& view) {
    const std::size_t row = view.row();
    std::fill_n(view.data, row, 0.0F);
    for (std::size_t y = 1; y <= view.side; ++y) {
        std::fill_n(view.data + y * row, view.pixel, 0.0F);
        std::fill_n(view.data + (y + 1) * row - view.pixel, view.pixel, 0.0F);
    }
    std::fill_n(view.data + (view.side + 1) * row, row, 0.0F);
}

}  // namespace

Engine::Engine(const Model& model) : resizer_(model.side) {
    const Plan plan(model);
    std::array<std::size_t, kSlots> starts{};
    for (std::size_t slot = 1; slot < kSlots; ++slot)
        starts[slot] = starts[slot - 1] + plan.sizes[slot - 1];
    arena_.resize(starts.back() + plan.sizes.back());
    const auto view = [&](const Place& place) {
        View result = place.view;
        result.data = &arena_[starts[place.slot] + place.offset];
        return result;
    };
    image_ = view(plan.image);
    for (const PlannedStep& step : plan.steps) {
        steps_.push_back({Packed(*step.convolution, step.input.view.pixel), view(step.input),
                          view(step.output)});
    }
    outputs_ = {&arena_[starts[kScores]], &arena_[starts[kBoxes]], plan.anchors, model.classes};
    for (std::size_t i = 0; i < levels_.size(); ++i)
        levels_[i] = static_cast<float>(i) / 127.5F - 1.0F;
}

void Engine::load_image(const std::uint8_t* rgb) {
    clear_border(image_);
    for (std::size_t y = 0; y < image_.side; ++y) {
        float* const row = image_.at(y, 0);
        for (std::size_t i = 0; i < image_.side * 3; ++i) row[i] = levels_[*rgb++];
    }
}

Outputs Engine::run(const std::uint8_t* resized) {
    load_image(resized);
    for (const Step& step : steps_) {
        if (step.output.border > 0) clear_border(step.output);
        step.convolution.run(step.input, step.output);
    }
    return outputs_;
}

}  // namespace ssd
