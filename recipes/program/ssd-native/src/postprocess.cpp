#include "postprocess.hpp"

#include <algorithm>
#include <cmath>

namespace ssd {
namespace {

// Of one class and image, before suppression at most so many, the best ones.
constexpr std::size_t kMostCandidates = 400;

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

// The logit that a score needs; a threshold of 0 keeps everything.
float logit(float score) {
    if (score <= 0) return -INFINITY;
    return score >= 1 ? INFINITY : std::log(score / (1.0F - score));
}

// Intersection over union.
float overlap(const Detection& a, const Detection& b) {
    const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
    const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
    if (width <= 0 || height <= 0) return 0;
    const float shared = width * height;
    return shared / (a.width * a.height + b.width * b.height - shared);
}

struct Candidate {
    float score;
    std::size_t anchor;
};

// Highest score first; equal scores in the anchors' order, so that the answer is one.
bool better(const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.anchor < b.anchor;
}

}  // namespace

Decoder::Decoder(const Model& model)
    : centre_variance_(model.centre_variance), size_variance_(model.size_variance) {
    std::size_t side = model.side;
    for (const Layer& layer : model.layers) {
        if (!layer.is_head()) {
            side /= layer.parts.front().stride;
            continue;
        }
        for (std::size_t cell = 0; cell < side * side; ++cell) {
            const float x = (static_cast<float>(cell % side) + 0.5F) / static_cast<float>(side);
            const float y = (static_cast<float>(cell / side) + 0.5F) / static_cast<float>(side);
            for (const Anchor& anchor : layer.anchors)
                anchors_.push_back({x, y, anchor.width, anchor.height});
        }
    }
}

// The box in parts of the image's sides, cut to the image; false when nothing remains of it.
bool Decoder::decode(const float* offsets, const Centred& anchor, Detection& detection) const {
    const float x = anchor.x + offsets[0] * centre_variance_ * anchor.width;
    const float y = anchor.y + offsets[1] * centre_variance_ * anchor.height;
    const float width = anchor.width * std::exp(offsets[2] * size_variance_);
    const float height = anchor.height * std::exp(offsets[3] * size_variance_);
    detection.left = std::max(0.0F, x - width / 2);
    detection.top = std::max(0.0F, y - height / 2);
    detection.width = std::min(1.0F, x + width / 2) - detection.left;
    detection.height = std::min(1.0F, y + height / 2) - detection.top;
    // Comparisons with a number that is none are false.
    return x >= -1 && x <= 2 && y >= -1 && y <= 2 && detection.width > 0 && detection.height > 0;
}

std::vector<Detection> Decoder::run(const Outputs& outputs, std::size_t width, std::size_t height,
                                    const Rules& rules) const {
    const float least = logit(rules.threshold);
    std::vector<std::vector<Candidate>> candidates(outputs.classes);
    for (std::size_t anchor = 0; anchor < outputs.anchors; ++anchor) {
        const float* const scores = outputs.scores + anchor * outputs.classes;
        for (std::size_t c = 0; c < outputs.classes; ++c) {
            if (scores[c] >= least) candidates[c].push_back({scores[c], anchor});
        }
    }
    std::vector<Detection> found;
    for (std::size_t c = 0; c < outputs.classes; ++c) {
        std::sort(candidates[c].begin(), candidates[c].end(), better);
        const std::size_t first = found.size();
        const std::size_t count = std::min(candidates[c].size(), kMostCandidates);
        for (std::size_t i = 0; i < count && found.size() - first < rules.most; ++i) {
            const Candidate& candidate = candidates[c][i];
            Detection detection{0, 0, 0, 0, sigmoid(candidate.score), c + 1};
            if (!decode(outputs.boxes + candidate.anchor * 4, anchors_[candidate.anchor],
                        detection))
                continue;
            const auto covers = [&](const Detection& other) {
                return overlap(detection, other) > rules.overlap;
            };
            if (std::none_of(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
                             covers)) {
                found.push_back(detection);
            }
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    found.resize(std::min(found.size(), rules.most));
    for (Detection& detection : found) {
        detection.left *= static_cast<float>(width);
        detection.width *= static_cast<float>(width);
        detection.top *= static_cast<float>(height);
        detection.height *= static_cast<float>(height);
    }
    return found;
}

}  // namespace ssd
