// Random numbers that are the same on every machine: the distributions of the standard library differ between libraries.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "router/math/matrix.h"

namespace router::math {

// FIPS 180-4.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

// PCG64 (XSL-RR 128/64, O'Neill 2014) with samplers of its own.
class Rng {
public:
    // State and stream are the two halves of the SHA-256 of `name`: what is drawn for "tenant|date|stage|version" hangs
    // on nothing else.
    explicit Rng(std::string_view name);
    // As pcg64_srandom(state, stream) of the reference implementation, with high words of zero.
    Rng(std::uint64_t state, std::uint64_t stream);

    std::uint64_t next();
    double uniform();                      // in (0, 1), 53 bits
    std::size_t below(std::size_t n);      // 0 … n-1, n > 0
    double normal();                       // Marsaglia's polar method
    double gamma(double shape);            // scale 1, shape > 0 (Marsaglia and Tsang 2000)
    double beta(double a, double b);
    double student(double df);             // scaled to variance 1, df > 2
    int poisson(double mean);              // 0 where the mean is not positive
    int binomial(int n, double p);

private:
    void seed(unsigned __int128 state, unsigned __int128 stream);

    unsigned __int128 state_ = 0, increment_ = 1;
    double spare_ = 0;  // the second normal of a pair
    bool has_spare_ = false;
};

}  // namespace router::math
