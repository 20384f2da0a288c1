// The mixers that carry a state: every target agrees with ref, and rows do not depend on how they are cut into steps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "tested_targets.h"

using namespace engine;

namespace {

// float32 sums of at most a thousand terms, in another order; a state passes its error on and decays.
constexpr double kFloatError = 1e-5;

struct RecurrentTest : testing::Test {
    Pool pool{2};
    std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(std::size_t(16) << 20);
    Scratch scratch{memory.data(), memory.size()};
    Exec exec{&pool, &scratch};
    std::mt19937 random{11};

    std::vector<float> floats(std::size_t n, float low = -1, float high = 1) {
        std::uniform_real_distribution<float> of(low, high);
        std::vector<float> out(n);
        for (float& v : out) v = of(random);
        return out;
    }

    static std::vector<std::pair<std::string, const Ops*>> runs() {
        std::vector<std::pair<std::string, const Ops*>> out;
        for (const bool exact : {false, true})
            for (const Target& t : tested_targets(exact))
                if (t.available && t.name != "ref") out.push_back({t.name + (exact ? " exact" : " fast"), t.ops});
        return out;
    }

    struct Result {
        std::vector<float> out, states;
    };
    using Op = std::function<void(const Ops&, Mat out, const SequenceRows*, int n_sequences)>;

    // Two sequences of 41 and 3 rows; `cut`: the first one's rows come in two steps, the second one's in one.
    Result run(const Ops& ops, const Op& op, int cols, std::size_t state, bool cut) {
        Result r;
        r.out.resize(44 * std::size_t(cols));
        r.states = initial(2 * state);
        const Mat out{r.out.data(), 44, cols};
        float *const a = r.states.data(), *const b = a + state;
        if (cut) {
            const SequenceRows first[] = {{0, 33, 0, nullptr, a}}, second[] = {{33, 8, 33, nullptr, a}, {41, 3, 0, nullptr, b}};
            op(ops, out, first, 1);
            op(ops, out, second, 2);
        } else {
            const SequenceRows both[] = {{0, 41, 0, nullptr, a}, {41, 3, 0, nullptr, b}};
            op(ops, out, both, 2);
        }
        return r;
    }

    // alone: rows have the same last bits however they are cut into steps in profile fast, too.
    void agrees(const Op& op, int cols, std::size_t state, bool alone = true) {
        const Result want = run(ref_ops(), op, cols, state, false);
        for (const auto& [name, ops] : runs()) {
            SCOPED_TRACE(name);
            const Result got = run(*ops, op, cols, state, false), cut = run(*ops, op, cols, state, true);
            EXPECT_LT(error(got.out, want.out), kFloatError);
            EXPECT_LT(error(got.states, want.states), kFloatError);
            EXPECT_LT(error(cut.out, want.out), kFloatError) << "rows in two steps";
            EXPECT_LT(error(cut.states, want.states), kFloatError) << "rows in two steps";
            if (alone || name.ends_with("exact")) {
                EXPECT_EQ(std::memcmp(got.out.data(), cut.out.data(), got.out.size() * 4), 0) << "rows in two steps";
                EXPECT_EQ(std::memcmp(got.states.data(), cut.states.data(), got.states.size() * 4), 0) << "rows in two steps";
            }
            EXPECT_EQ(scratch.used(), 0u);
        }
    }

private:
    static std::vector<float> initial(std::size_t n) {
        std::vector<float> out(n);
        for (std::size_t i = 0; i < n; ++i) out[i] = float(i % 17) / 16 - 0.5f;
        return out;
    }
    static double error(const std::vector<float>& got, const std::vector<float>& want) {
        double e = 0, size = 0;
        for (std::size_t i = 0; i < want.size(); ++i) e += std::pow(double(got[i]) - want[i], 2), size += std::pow(double(want[i]), 2);
        return std::sqrt(e / size);
    }
};

}  // namespace

TEST_F(RecurrentTest, ConvolveAgreesWithRef) {
    for (const int width : {7, 64, 300})
        for (const int kernel : {2, 3, 4, 20})
            for (const bool silu : {false, true}) {
                SCOPED_TRACE("width " + std::to_string(width) + " kernel " + std::to_string(kernel) + (silu ? " silu" : ""));
                auto x = floats(44 * std::size_t(width));
                const auto w = floats(std::size_t(kernel) * std::size_t(width)), bias = floats(std::size_t(width));
                agrees([&](const Ops& ops, Mat out, const SequenceRows* s, int n) {
                    ops.convolve({out, {x.data(), 44, width}, w.data(), silu ? bias.data() : nullptr, kernel, silu, s, n, 5}, exec);
                }, width, 5 + std::size_t(kernel - 1) * std::size_t(width));
            }
}

TEST_F(RecurrentTest, GatedDeltaAgreesWithRef) {
    for (const auto& [dk, dv] : {std::pair(128, 128), std::pair(16, 16), std::pair(5, 3), std::pair(48, 100), std::pair(64, 200)})
        for (const bool tiled : {false, true}) {
            SCOPED_TRACE("key " + std::to_string(dk) + " value " + std::to_string(dv) + (tiled ? " tiled" : ""));
            const int hk = 2, hv = 4, in = 2 * hk * dk + hv * dv;
            auto qkv = floats(44 * std::size_t(in)), alpha = floats(44 * hv), beta = floats(44 * hv);
            const auto a = floats(hv, -2, -0.1f), bias = floats(hv);
            // clang 14 captures no structured binding by itself
            agrees([&, dk = dk, dv = dv](const Ops& ops, Mat out, const SequenceRows* s, int n) {
                ops.gated_delta({out, {qkv.data(), 44, in}, {alpha.data(), 44, hv}, {beta.data(), 44, hv}, a.data(), bias.data(), hk, hv, dk, dv, tiled, s, n, 3}, exec);
            }, hv * dv, 3 + std::size_t(hv) * std::size_t(dk) * std::size_t(dv), false);
        }
}

TEST_F(RecurrentTest, SelectiveScanAgreesWithRef) {
    for (const auto& [p, state] : {std::pair(64, 128), std::pair(8, 16), std::pair(3, 5), std::pair(10, 200), std::pair(16, 256)})
        for (const int groups : {1, 2}) {
            SCOPED_TRACE("head " + std::to_string(p) + " state " + std::to_string(state) + " groups " + std::to_string(groups));
            const int heads = 4, in = heads * p + 2 * groups * state;
            auto xbc = floats(44 * std::size_t(in)), dt = floats(44 * heads);
            const auto a = floats(heads, -2, -0.1f), d = floats(heads), bias = floats(heads);
            agrees([&, p = p, state = state](const Ops& ops, Mat out, const SequenceRows* s, int n) {
                ops.selective_scan({out, {xbc.data(), 44, in}, {dt.data(), 44, heads}, a.data(), d.data(), bias.data(), heads, p, state, groups, s, n, 1}, exec);
            }, heads * p, 1 + std::size_t(heads) * std::size_t(p) * std::size_t(state));
        }
}
