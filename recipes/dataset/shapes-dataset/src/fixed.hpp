// Integer mathematics of the generator: random numbers, sine, powers of two.
//
// No floating point: the same seed must give the same pixels with every compiler, flag and CPU.
// Q16 and Q30 are fixed-point numbers with 16 and 30 fraction bits.
#pragma once

#include <array>
#include <cstdint>

namespace shapes {

constexpr std::int64_t kQ16 = 1 << 16;
constexpr std::int64_t kQ30 = 1 << 30;

// Division that rounds down, for any sign of the numerator; the denominator is positive.
constexpr std::int64_t floor_div(std::int64_t numerator, std::int64_t denominator) {
    const std::int64_t quotient = numerator / denominator;
    return quotient - (numerator % denominator < 0 ? 1 : 0);
}

// Product of two fixed-point numbers of which one has `bits` fraction bits, rounded to nearest.
constexpr std::int64_t scale(std::int64_t a, std::int64_t b, int bits) {
    return floor_div(a * b + (std::int64_t{1} << (bits - 1)), std::int64_t{1} << bits);
}

// PCG-XSH-RR 64/32 (O'Neill 2014), seeded through two rounds of SplitMix64 so that
// neighbouring seeds give unrelated streams.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(mix(seed)), increment_(mix(seed + 1) | 1U) {
        next();
    }

    std::uint32_t next() {
        const std::uint64_t old = state_;
        state_ = old * 6364136223846793005ULL + increment_;
        const auto word = static_cast<std::uint32_t>(((old >> 18U) ^ old) >> 27U);
        const auto turn = static_cast<std::uint32_t>(old >> 59U);
        return (word >> turn) | (word << ((32U - turn) & 31U));
    }

    // A whole number from low to high, both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        const auto span = static_cast<std::uint64_t>(high - low + 1);
        return low + static_cast<std::int64_t>((next() * span) >> 32U);
    }

private:
    static std::uint64_t mix(std::uint64_t value) {
        value += 0x9e3779b97f4a7c15ULL;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
        return value ^ (value >> 31U);
    }

    std::uint64_t state_;
    std::uint64_t increment_;
};

// Horner's rule on Q30 coefficients, constant term first.
template <std::size_t N>
constexpr std::int64_t polynomial(const std::array<std::int64_t, N>& coefficients, std::int64_t x) {
    std::int64_t sum = 0;
    for (std::size_t i = N; i-- > 0;) sum = scale(sum, x, 30) + coefficients[i];
    return sum;
}

// Sine in Q30 of an angle in 1/65536 turns. Within a quarter turn z in [0, 1]:
// sin(z * pi / 2) = z * P(z^2), P being Taylor's polynomial of degree 5 (error < 1e-7).
constexpr std::int64_t sine(std::int64_t turn) {
    constexpr std::array<std::int64_t, 6> taylor{1686629713, -693598989, 85568712,
                                                 -5027009,   172272,     -3864};
    const std::int64_t in_turn = turn & 0xffff;
    const std::int64_t in_half = in_turn & 0x7fff;
    const std::int64_t z = (in_half <= 0x4000 ? in_half : 0x8000 - in_half) << 16;
    const std::int64_t value = scale(z, polynomial(taylor, scale(z, z, 30)), 30);
    return in_turn < 0x8000 ? value : -value;
}

constexpr std::int64_t cosine(std::int64_t turn) { return sine(turn + 0x4000); }

// 2 to the power of a Q16 exponent in [-16, 13), as Q16.
constexpr std::int64_t exp2(std::int64_t exponent) {
    constexpr std::array<std::int64_t, 7> taylor{1073741824, 744261118, 257941297, 59597020,
                                                 10327356,   1431681,   165394};
    const std::int64_t whole = floor_div(exponent, kQ16);
    const std::int64_t fraction = (exponent - whole * kQ16) << 14;
    return polynomial(taylor, fraction) >> (14 - whole);
}

}  // namespace shapes
