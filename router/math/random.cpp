#include "router/math/random.h"

#include <bit>
#include <cmath>
#include <string>

namespace router::math {
namespace {

constexpr std::array<std::uint32_t, 64> ROUND = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// One block of 64 bytes into the eight words of the state.
void compress(std::array<std::uint32_t, 8>& state, const unsigned char* block) {
    std::array<std::uint32_t, 64> w{};
    for (int i = 0; i < 16; ++i)
        w[i] = std::uint32_t(block[4 * i]) << 24 | std::uint32_t(block[4 * i + 1]) << 16 | std::uint32_t(block[4 * i + 2]) << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; ++i) {
        const std::uint32_t a = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
        const std::uint32_t b = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (int i = 0; i < 64; ++i) {
        const std::uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i];
        const std::uint32_t two = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
    }
    const std::array<std::uint32_t, 8> add = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i) state[i] += add[i];
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
    std::string text(bytes);
    text.push_back(char(0x80));
    while (text.size() % 64 != 56) text.push_back(0);
    for (int shift = 56; shift >= 0; shift -= 8) text.push_back(char(std::uint64_t(bytes.size()) * 8 >> shift));
    std::array<std::uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (std::size_t at = 0; at < text.size(); at += 64) compress(state, reinterpret_cast<const unsigned char*>(text.data()) + at);
    std::array<std::uint8_t, 32> out{};
    for (int i = 0; i < 32; ++i) out[i] = std::uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

Rng::Rng(std::string_view name) {
    const auto hash = sha256(name);
    unsigned __int128 half[2] = {0, 0};
    for (int i = 0; i < 32; ++i) half[i / 16] = half[i / 16] << 8 | hash[i];
    seed(half[0], half[1]);
}

Rng::Rng(std::uint64_t state, std::uint64_t stream) { seed(state, stream); }

void Rng::seed(unsigned __int128 state, unsigned __int128 stream) {
    increment_ = stream << 1 | 1;
    state_ = 0;
    next();
    state_ += state;
    next();
}

std::uint64_t Rng::next() {
    constexpr unsigned __int128 MULTIPLIER = (unsigned __int128)2549297995355413924ULL << 64 | 4865540595714422341ULL;
    state_ = state_ * MULTIPLIER + increment_;
    return std::rotr(std::uint64_t(state_ >> 64) ^ std::uint64_t(state_), int(state_ >> 122));
}

double Rng::uniform() { return (double(next() >> 11) + 0.5) * 0x1p-53; }

std::size_t Rng::below(std::size_t n) { return std::size_t((unsigned __int128)next() * n >> 64); }

double Rng::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    for (;;) {
        const double u = 2 * uniform() - 1, v = 2 * uniform() - 1, s = u * u + v * v;
        if (s >= 1 || s == 0) continue;
        const double factor = std::sqrt(-2 * std::log(s) / s);
        spare_ = v * factor;
        has_spare_ = true;
        return u * factor;
    }
}

double Rng::gamma(double shape) {
    if (shape < 1) return gamma(shape + 1) * std::pow(uniform(), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal(), v = std::pow(1 + c * x, 3);
        if (v <= 0) continue;
        if (std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

double Rng::beta(double a, double b) {
    const double x = gamma(a), y = gamma(b);
    return x / (x + y);
}

double Rng::student(double df) { return normal() / std::sqrt(gamma(df / 2) * 2 / df) * std::sqrt((df - 2) / df); }

int Rng::poisson(double mean) {
    int count = 0;
    while (mean > 50) {  // the k-th arrival lies before the end: the rest is Poisson; else what came before it is binomial
        const int k = int(mean * 7 / 8);
        const double arrival = gamma(k);
        if (arrival > mean) return count + binomial(k - 1, mean / arrival);
        count += k;
        mean -= arrival;
    }
    const double limit = std::exp(-mean);
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
}

int Rng::binomial(int n, double p) {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    int count = 0;
    if (p > 0.1) {
        for (int i = 0; i < n; ++i) count += uniform() < p;
        return count;
    }
    // The gaps between successes are geometric.
    const double scale = 1 / std::log1p(-p);
    for (double at = std::floor(std::log(uniform()) * scale); at < n; at += 1 + std::floor(std::log(uniform()) * scale)) ++count;
    return count;
}

}  // namespace router::math
