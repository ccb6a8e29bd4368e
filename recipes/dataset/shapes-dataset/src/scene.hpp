// One random scene: what is in it, where, and its pixels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "canvas.hpp"

namespace shapes {

inline constexpr std::int64_t kSmallestSide = 120;  // pixels
inline constexpr std::int64_t kLargestSide = 240;
inline constexpr std::int64_t kContrast = 90;  // sum over the three channels

struct Object {
    std::size_t category;  // index into kCategories
    Box box;
    std::int64_t samples;  // covered sample points: 4 a pixel
};

struct Scene {
    std::int64_t width, height;
    std::vector<std::uint8_t> rgb;
    std::vector<Object> objects;
};

inline Colour random_colour(Random& random) {
    Colour colour{};
    for (std::int64_t& value : colour.rgb) value = random.between(0, 255);
    return colour;
}

inline std::int64_t contrast(const Colour& a, const Colour& b) {
    std::int64_t sum = 0;
    for (std::size_t c = 0; c < 3; ++c) sum += std::abs(a.rgb[c] - b.rgb[c]);
    return sum;
}

inline Colour mix(const Colour& a, const Colour& b, std::int64_t quarters) {
    Colour colour{};
    for (std::size_t c = 0; c < 3; ++c) {
        colour.rgb[c] = (a.rgb[c] * (4 - quarters) + b.rgb[c] * quarters) / 4;
    }
    return colour;
}

// A colour that differs from all of the gradient, when a few tries find one.
inline Colour standing_out(Random& random, const Colour& from, const Colour& to) {
    Colour colour = random_colour(random);
    for (int i = 0; i < 40; ++i, colour = random_colour(random)) {
        std::int64_t least = INT64_MAX;
        for (std::int64_t quarters = 0; quarters <= 4; ++quarters) {
            least = std::min(least, contrast(colour, mix(from, to, quarters)));
        }
        if (least >= kContrast) break;
    }
    return colour;
}

inline Outline random_line(Random& random, std::int64_t width, std::int64_t height) {
    const Point from{random.between(0, width * kPixel), random.between(0, height * kPixel)};
    const std::int64_t turn = random.between(0, 65535);
    const std::int64_t length = random.between(20, kLargestSide) * kPixel;
    const std::int64_t half = random.between(kPixel / 2, kPixel * 2);
    const Point along{scale(cosine(turn), length, 30), scale(sine(turn), length, 30)};
    const Point across{scale(-sine(turn), half, 30), scale(cosine(turn), half, 30)};
    return {{{from.x + across.x, from.y + across.y},
             {from.x + along.x + across.x, from.y + along.y + across.y},
             {from.x + along.x - across.x, from.y + along.y - across.y},
             {from.x - across.x, from.y - across.y}}};
}

// Radius = shorter side * 2^U(-3.6, -1.5), aspect 2^U(-0.32, 0.32) = 0.8 to 1.25, +-0.45 rad.
inline Pose random_pose(Random& random, std::int64_t width, std::int64_t height) {
    Pose pose{};
    pose.radius =
        scale(std::min(width, height) * kPixel, exp2(random.between(-235930, -98304)), 16);
    pose.aspect = exp2(random.between(-21098, 21098));
    pose.turn = random.between(-4694, 4694);
    pose.centre = {random.between(0, width * kPixel), random.between(0, height * kPixel)};
    return pose;
}

// Tries poses until the outline lies inside the image and beside the others; whether one did.
// A crowded image simply gets fewer objects; the first one ends up in the middle, where each fits.
inline bool place(Random& random, const Scene& scene, Outline& outline) {
    constexpr int kTries = 40;
    for (int i = 0; i < kTries; ++i) {
        Pose pose = random_pose(random, scene.width, scene.height);
        if (scene.objects.empty() && i == kTries - 1) {
            pose.centre = {scene.width * kPixel / 2, scene.height * kPixel / 2};
        }
        Outline candidate = placed(outline, pose);
        const Box box = bounds(candidate);
        const bool inside = box.left >= 0 && box.top >= 0 && box.right <= scene.width * kPixel &&
                            box.bottom <= scene.height * kPixel;
        if (!inside || std::any_of(scene.objects.begin(), scene.objects.end(),
                                   [&](const Object& other) { return collide(box, other.box); })) {
            continue;
        }
        outline = std::move(candidate);
        return true;
    }
    return false;
}

inline Scene make_scene(std::uint64_t seed) {
    Random random(seed);
    Scene scene{};
    scene.width = random.between(kSmallestSide, kLargestSide);
    scene.height = random.between(kSmallestSide, kLargestSide);
    Canvas canvas(scene.width, scene.height);

    const Colour from = random_colour(random), to = random_colour(random);
    canvas.gradient(from, to, random.between(0, 65535));
    for (std::int64_t lines = random.between(0, 5); lines > 0; --lines) {
        const Outline line = random_line(random, scene.width, scene.height);
        canvas.fill(line, random_colour(random));
    }
    for (std::int64_t wanted = random.between(1, 7); wanted > 0; --wanted) {
        const auto category = static_cast<std::size_t>(random.between(0, kCategories.size() - 1));
        Outline shape = outline(category);
        if (!place(random, scene, shape)) continue;
        const std::int64_t samples = canvas.fill(shape, standing_out(random, from, to));
        scene.objects.push_back({category, bounds(shape), samples});
    }
    canvas.add_noise(random);
    scene.rgb = canvas.take();
    return scene;
}

}  // namespace shapes
