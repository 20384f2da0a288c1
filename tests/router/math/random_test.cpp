#include "router/math/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace router::math {
namespace {

std::string hex(std::string_view text) {
    std::string out;
    char two[3];
    for (std::uint8_t byte : sha256(text)) std::snprintf(two, sizeof two, "%02x", byte), out += two;
    return out;
}

// FIPS 180-4's own examples, and lengths about the padding's edge by OpenSSL.
TEST(Sha256, IsTheStandards) {
    EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    EXPECT_EQ(hex(std::string(55, 'a')), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
}

// What the reference implementation's demonstration prints for the seeds 42 and 54.
TEST(Rng, IsPcg64) {
    Rng rng(42, 54);
    for (std::uint64_t expected : {0x86b1da1d72062b68ULL, 0x1304aa46c9853d39ULL, 0xa3670e9e0dd50358ULL, 0xf9090e529a7dae00ULL, 0xc85b9fd837996f2cULL, 0x606121f8e3919196ULL})
        EXPECT_EQ(rng.next(), expected);
}

TEST(Rng, HangsOnItsNameAlone) {
    Rng one("tenant|2026-03-04|explain|1"), same("tenant|2026-03-04|explain|1"), other("tenant|2026-03-05|explain|1");
    const auto first = one.next();
    EXPECT_EQ(first, same.next());
    EXPECT_NE(first, other.next());
}

struct Moments {
    double mean, variance;
};

template <class Draw>
Moments moments(Draw draw, int n = 200'000) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
        const double x = draw();
        sum += x;
        squares += x * x;
    }
    return {sum / n, squares / n - sum / n * (sum / n)};
}

void expect_moments(Moments found, double mean, double variance) {
    EXPECT_NEAR(found.mean, mean, 5 * std::sqrt(variance / 200'000));
    EXPECT_NEAR(found.variance, variance, 0.03 * variance);
}

TEST(Rng, SamplersHaveTheirMoments) {
    Rng rng("moments");
    expect_moments(moments([&] { return rng.uniform(); }), 0.5, 1.0 / 12);
    expect_moments(moments([&] { return rng.normal(); }), 0, 1);
    expect_moments(moments([&] { return rng.gamma(0.5); }), 0.5, 0.5);
    expect_moments(moments([&] { return rng.gamma(7); }), 7, 7);
    expect_moments(moments([&] { return rng.beta(2, 5); }), 2.0 / 7, 10.0 / 49 / 8);
    expect_moments(moments([&] { return rng.student(8); }), 0, 1);
    expect_moments(moments([&] { return double(rng.poisson(3)); }), 3, 3);
    expect_moments(moments([&] { return double(rng.poisson(180)); }), 180, 180);
    expect_moments(moments([&] { return double(rng.binomial(60, 0.02)); }), 1.2, 1.2 * 0.98);
    expect_moments(moments([&] { return double(rng.binomial(60, 0.4)); }), 24, 14.4);
    expect_moments(moments([&] { return double(rng.below(6)); }), 2.5, 35.0 / 12);
}

}  // namespace
}  // namespace router::math
