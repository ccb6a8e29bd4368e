// The ten kinds of shapes: outlines, where they lie, what they bound.
//
// Positions in an image are in 1/256 of a pixel from the top left corner, y downwards.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fixed.hpp"

namespace shapes {

inline constexpr std::array<std::string_view, 10> kCategories{
    "circle", "square",  "triangle", "star",  "cross",
    "ring",   "diamond", "hexagon",  "heart", "arrow"};

inline constexpr std::int64_t kPixel = 256;

struct Point {
    std::int64_t x, y;
};
using Polygon = std::vector<Point>;
// Several polygons are filled by the even-odd rule: the second one of a ring is its hole.
using Outline = std::vector<Polygon>;

struct Box {
    std::int64_t left, top, right, bottom;
    std::int64_t area() const { return (right - left) * (bottom - top); }
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
        case 0:
            return {regular(48, kQ16, 0)};
        case 1:
            return {corners({{-85, -85}, {85, -85}, {85, 85}, {-85, 85}})};
        case 2:
            return {regular(3, kQ16, -16384)};
        case 3:
            return {star()};
        case 4:
            return {corners({{-33, -100},
                             {33, -100},
                             {33, -33},
                             {100, -33},
                             {100, 33},
                             {33, 33},
                             {33, 100},
                             {-33, 100},
                             {-33, 33},
                             {-100, 33},
                             {-100, -33},
                             {-33, -33}})};
        case 5:
            return {regular(48, kQ16, 0), regular(48, kQ16 * 6 / 10, 0)};
        case 6:
            return {corners({{0, -100}, {70, 0}, {0, 100}, {-70, 0}})};
        case 7:
            return {regular(6, kQ16, 0)};
        case 8:
            return {heart()};
        default:
            return {corners(
                {{-100, -25}, {10, -25}, {10, -70}, {100, 0}, {10, 70}, {10, 25}, {-100, 25}})};
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

}  // namespace shapes
