// One random scene: what is in it, where, and its pixels.
//
// Positions are in 1/256 of a pixel from the top left corner, y downwards. A pixel's coverage is
// counted on 2 x 2 sample points, so edges have five grey levels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fixed.hpp"

namespace shapes {

inline constexpr std::array<std::string_view, 10> kCategories{
    "circle", "square", "triangle", "star", "cross", "ring", "diamond", "hexagon", "heart", "arrow"};

inline constexpr std::int64_t kPixel = 256;
inline constexpr std::int64_t kSmallestSide = 120;
inline constexpr std::int64_t kLargestSide = 240;
inline constexpr std::int64_t kContrast = 90;  // sum over the three channels

struct Point {
    std::int64_t x, y;
};
using Polygon = std::vector<Point>;
// Several polygons are filled by the even-odd rule: the second one of a ring is its hole.
using Outline = std::vector<Polygon>;

struct Colour {
    std::array<std::int64_t, 3> rgb;
};

struct Box {
    std::int64_t left, top, right, bottom;
    std::int64_t area() const { return (right - left) * (bottom - top); }
};

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

// ---- outlines, as Q16 points about the origin with radius one ----

inline Polygon regular(int corners, std::int64_t radius, std::int64_t first_turn) {
    Polygon polygon;
    for (int i = 0; i < corners; ++i) {
        const std::int64_t turn = first_turn + 65536 * i / corners;
        polygon.push_back({scale(cosine(turn), radius, 30), scale(sine(turn), radius, 30)});
    }
    return polygon;
}

inline Polygon star() {
    const Polygon outer = regular(5, kQ16, -16384);
    const Polygon inner = regular(5, kQ16 * 42 / 100, -16384 + 6554);
    Polygon polygon;
    for (std::size_t i = 0; i < outer.size(); ++i) {
        polygon.push_back(outer[i]);
        polygon.push_back(inner[i]);
    }
    return polygon;
}

// x = 16 sin^3 t, y = -(13 cos t - 5 cos 2t - 2 cos 3t - cos 4t), both over 17.
inline Polygon heart() {
    Polygon polygon;
    for (int i = 0; i < 40; ++i) {
        const std::int64_t t = 65536 * i / 40;
        const std::int64_t s = sine(t);
        const std::int64_t x = 16 * scale(scale(s, s, 30), s, 30);
        const std::int64_t y =
            5 * cosine(2 * t) + 2 * cosine(3 * t) + cosine(4 * t) - 13 * cosine(t);
        polygon.push_back({floor_div(x, 17 * 16384), floor_div(y, 17 * 16384)});
    }
    return polygon;
}

// Corners given in hundredths.
inline Polygon corners(std::initializer_list<Point> hundredths) {
    Polygon polygon;
    for (const Point& p : hundredths) {
        polygon.push_back({floor_div(p.x * kQ16, 100), floor_div(p.y * kQ16, 100)});
    }
    return polygon;
}

inline Outline outline(std::size_t category) {
    switch (category) {
        case 0: return {regular(48, kQ16, 0)};
        case 1: return {corners({{-85, -85}, {85, -85}, {85, 85}, {-85, 85}})};
        case 2: return {regular(3, kQ16, -16384)};
        case 3: return {star()};
        case 4:
            return {corners({{-33, -100}, {33, -100}, {33, -33}, {100, -33}, {100, 33}, {33, 33},
                             {33, 100}, {-33, 100}, {-33, 33}, {-100, 33}, {-100, -33}, {-33, -33}})};
        case 5: return {regular(48, kQ16, 0), regular(48, kQ16 * 6 / 10, 0)};
        case 6: return {corners({{0, -100}, {70, 0}, {0, 100}, {-70, 0}})};
        case 7: return {regular(6, kQ16, 0)};
        case 8: return {heart()};
        default:
            return {corners({{-100, -25}, {10, -25}, {10, -70}, {100, 0}, {10, 70}, {10, 25},
                             {-100, 25}})};
    }
}

// How an outline lies in the image: radius and centre in 1/256 pixels, aspect (x over y) in Q16.
struct Pose {
    std::int64_t radius, aspect, turn;
    Point centre;
};

inline Outline placed(Outline outline, const Pose& pose) {
    for (Polygon& polygon : outline) {
        for (Point& p : polygon) {
            const std::int64_t x = scale(scale(p.x, pose.radius, 16), pose.aspect, 16);
            const std::int64_t y = scale(p.y, pose.radius, 16);
            p = {pose.centre.x + scale(x * cosine(pose.turn) - y * sine(pose.turn), 1, 30),
                 pose.centre.y + scale(x * sine(pose.turn) + y * cosine(pose.turn), 1, 30)};
        }
    }
    return outline;
}

inline Box bounds(const Outline& outline) {
    Box box{INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    for (const Polygon& polygon : outline) {
        for (const Point& p : polygon) {
            box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x),
                   std::max(box.bottom, p.y)};
        }
    }
    return box;
}

// Whether two boxes share more than a quarter of the smaller one.
inline bool collide(const Box& a, const Box& b) {
    const std::int64_t width = std::min(a.right, b.right) - std::max(a.left, b.left);
    const std::int64_t height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    return width > 0 && height > 0 && width * height * 4 > std::min(a.area(), b.area());
}

// ---- drawing ----

class Canvas {
public:
    Canvas(std::int64_t width, std::int64_t height)
        : width_(width), height_(height), rgb_(static_cast<std::size_t>(width * height * 3)),
          row_coverage_(static_cast<std::size_t>(width)) {}

    // From one colour at the border to another at the opposite one, along a direction.
    void gradient(const Colour& from, const Colour& to, std::int64_t turn) {
        const std::int64_t dx = cosine(turn), dy = sine(turn);
        const std::int64_t reach = std::abs(dx) * width_ + std::abs(dy) * height_;
        for (std::int64_t y = 0; y < height_; ++y) {
            for (std::int64_t x = 0; x < width_; ++x) {
                const std::int64_t along = dx * (2 * x + 1 - width_) + dy * (2 * y + 1 - height_);
                const std::int64_t weight = floor_div((along + reach) * 128, reach);  // 0 to 256
                for (std::size_t c = 0; c < 3; ++c) {
                    pixel(x, y)[c] = static_cast<std::uint8_t>(
                        (from.rgb[c] * (256 - weight) + to.rgb[c] * weight + 128) >> 8);
                }
            }
        }
    }

    // Fills an outline; returns the number of sample points covered inside the image.
    std::int64_t fill(const Outline& outline, const Colour& colour) {
        const Box box = bounds(outline);
        const std::int64_t first = std::max<std::int64_t>(0, floor_div(box.top, kPixel));
        const std::int64_t last = std::min(height_ - 1, floor_div(box.bottom, kPixel));
        std::int64_t samples = 0;
        for (std::int64_t y = first; y <= last; ++y) {
            std::fill(row_coverage_.begin(), row_coverage_.end(), std::uint8_t{0});
            samples += cover(outline, y * kPixel + kPixel / 4);
            samples += cover(outline, y * kPixel + kPixel * 3 / 4);
            blend(y, colour);
        }
        return samples;
    }

    // A shift of each row's colours, then of each value: what a cheap sensor adds.
    void add_noise(Random& random) {
        for (std::int64_t y = 0; y < height_; ++y) {
            std::array<std::int64_t, 3> shift{};
            for (std::int64_t& value : shift) value = random.between(-4, 4);
            std::uint32_t bits = 0;
            std::uint8_t* const row = pixel(0, y);
            for (std::int64_t i = 0; i < width_ * 3; ++i) {
                bits = i % 16 == 0 ? random.next() : bits >> 2U;
                const std::int64_t grain = (bits & 1U) + (bits >> 1U & 1U);  // 0 1 1 2
                const std::int64_t value = row[i] + shift[static_cast<std::size_t>(i % 3)] + grain - 1;
                row[i] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
            }
        }
    }

    std::vector<std::uint8_t> take() { return std::move(rgb_); }

private:
    std::uint8_t* pixel(std::int64_t x, std::int64_t y) {
        return &rgb_[static_cast<std::size_t>((y * width_ + x) * 3)];
    }

    // Counts the sample points of one sample row that lie inside the outline.
    std::int64_t cover(const Outline& outline, std::int64_t y) {
        crossings_.clear();
        for (const Polygon& polygon : outline) {
            Point a = polygon.back();
            for (const Point& b : polygon) {
                if ((a.y <= y) != (b.y <= y)) {
                    const Point& low = a.y < b.y ? a : b;
                    const Point& high = a.y < b.y ? b : a;
                    crossings_.push_back(
                        low.x + floor_div((y - low.y) * (high.x - low.x), high.y - low.y));
                }
                a = b;
            }
        }
        std::sort(crossings_.begin(), crossings_.end());
        std::int64_t samples = 0;
        for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2) {
            // Sample i of a row lies at i * 128 + 64.
            const std::int64_t from = std::max<std::int64_t>(0, floor_div(crossings_[i] + 63, 128));
            const std::int64_t to = std::min(2 * width_, floor_div(crossings_[i + 1] + 63, 128));
            for (std::int64_t x = from; x < to; ++x) ++row_coverage_[static_cast<std::size_t>(x / 2)];
            samples += std::max<std::int64_t>(0, to - from);
        }
        return samples;
    }

    void blend(std::int64_t y, const Colour& colour) {
        for (std::int64_t x = 0; x < width_; ++x) {
            const std::int64_t in = row_coverage_[static_cast<std::size_t>(x)];
            if (in == 0) continue;
            for (std::size_t c = 0; c < 3; ++c) {
                std::uint8_t& value = pixel(x, y)[c];
                value = static_cast<std::uint8_t>((value * (4 - in) + colour.rgb[c] * in + 2) / 4);
            }
        }
    }

    std::int64_t width_, height_;
    std::vector<std::uint8_t> rgb_;
    std::vector<std::uint8_t> row_coverage_;
    std::vector<std::int64_t> crossings_;
};

// ---- composing ----

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
    pose.radius = scale(std::min(width, height) * kPixel, exp2(random.between(-235930, -98304)), 16);
    pose.aspect = exp2(random.between(-21098, 21098));
    pose.turn = random.between(-4694, 4694);
    pose.centre = {random.between(0, width * kPixel), random.between(0, height * kPixel)};
    return pose;
}

// Tries poses until the outline lies inside the image and beside the others. The last tries
// give up on random places, so a crowded image simply has fewer objects.
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
