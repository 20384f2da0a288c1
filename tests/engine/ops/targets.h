// What the tests of targets share: weights of every format, the same for ref and for a target, and how far results may lie apart.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/ops/ops.h"
#include "engine/ops/panel.h"
#include "tested_targets.h"

namespace engine::testing {

inline std::vector<Format> formats() {
    std::vector<Format> out;
    for (int f = 0; f < kFormatCount; ++f) out.push_back(Format(f));
    return out;
}

// Numbers of columns: an odd number of blocks too, and E2M1 with and without panels.
inline std::vector<int> columns_of(Format f) {
    const int block = info(f).values;
    if (f == Format::e2m1) return {16, 96, 160};
    return block == 1 ? std::vector<int>{45, 600} : std::vector<int>{block, block * 3};
}

// Where a block holds numbers that scale it, as halves.
inline std::vector<int> halves_of(Format f) {
    switch (f) {
        case Format::q6_k: return {208};
        case Format::q4_1: case Format::q5_1: case Format::q4_k: case Format::q5_k: return {0, 2};
        case Format::q2_k: return {80, 82};
        case Format::q3_k: return {108};
        case Format::tq1_0: return {52};
        case Format::tq2_0: return {64};
        case Format::iq1_m: case Format::mxfp4: case Format::nvfp4: case Format::int4: case Format::fp8: case Format::e2m1: return {};
        default: return {0};
    }
}

// int8 activations: rounding is uniform over a step of amax/127, which for values spread evenly over
// [-1, 1] is 1/127/sqrt(12)/sqrt(1/3) = 0.4 % of their size, and so is the error of a sum of products
// measured by the root of its squared terms. One output alone may lie four deviations off.
constexpr double kInt8Error = 0.016;
// float32 sums of at most a few thousand terms against double.
constexpr double kFloatError = 1e-5;
// BF16 has 8 bits: 2^-9 a factor, and two factors in a product.
constexpr double kBf16Error = 8e-3;

inline double squares(const std::vector<float>& v) {
    double sum = 0;
    for (float x : v) sum += double(x) * x;
    return sum;
}

inline double relative_error(const std::vector<float>& got, const std::vector<float>& want, double size = 0) {
    double error = 0;
    for (std::size_t i = 0; i < want.size(); ++i) error += std::pow(double(got[i]) - want[i], 2);
    return std::sqrt(error / (size > 0 ? size : squares(want)));
}

// The squared terms of all sums of x(n, cols) · wᵀ: what rounding errors of the factors are measured by.
inline double squared_terms(const Weight& w, const std::vector<float>& x) {
    std::vector<float> values(std::size_t(w.rows) * w.cols);
    dequantise(w.format, w.data, values.data(), values.size());
    double sum = 0;
    for (int c = 0; c < w.cols; ++c) {
        double of_w = 0, of_x = 0;
        for (int r = 0; r < w.rows; ++r) of_w += std::pow(double(values[std::size_t(r) * w.cols + c]), 2);
        for (std::size_t i = std::size_t(c); i < x.size(); i += std::size_t(w.cols)) of_x += std::pow(double(x[i]), 2);
        sum += of_w * of_x;
    }
    return sum;
}

struct Memory {
    explicit Memory(std::size_t n) : bytes(n + 64) {}
    std::uint8_t* data() { return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64; }
    std::vector<std::uint8_t> bytes;
};

struct TargetsTest : ::testing::Test {
    Pool pool{2};
    Memory memory{std::size_t(64) << 20};
    Scratch scratch{memory.data(), std::size_t(64) << 20};
    Exec exec{&pool, &scratch};
    std::mt19937 random{7};

    std::vector<float> floats(std::size_t n) {
        std::uniform_real_distribution<float> of(-1, 1);
        std::vector<float> out(n);
        for (float& v : out) v = of(random);
        return out;
    }

    // Blocks of random codes with scales of a sensible size.
    std::vector<std::uint8_t> blocks(Format f, int rows, int cols) {
        const FormatInfo& i = info(f);
        std::vector<std::uint8_t> out(std::size_t(rows) * row_bytes(f, std::size_t(cols)));
        if (f == Format::f32) {
            const auto values = floats(out.size() / 4);
            std::memcpy(out.data(), values.data(), out.size());
            return out;
        }
        for (auto& b : out) b = std::uint8_t(random());
        auto half = [&](std::size_t at) {  // 0.007 … 0.015, in BF16 small values too
            const std::uint16_t h = std::uint16_t((f == Format::bf16 ? 0x3c00 : 0x2000) + random() % 1000);
            std::memcpy(&out[at], &h, 2);
        };
        for (std::size_t at = 0; at < out.size(); at += std::size_t(i.bytes)) {
            for (int offset : halves_of(f)) half(at + std::size_t(offset));
            if (f == Format::iq1_m) out[at + 55] = std::uint8_t(0x20 | (out[at + 55] & 15)), out[at + 53] &= 15;
            if (f == Format::int4 || f == Format::fp8) {
                const float scale = 0.007f + 0.008f * float(random() % 1000) / 1000;
                std::memcpy(&out[at], &scale, 4);
            }
            if (f == Format::int4) out[at + 4] &= 15;
            if (f == Format::fp8) for (std::size_t j = 4; j < 36; ++j) out[at + j] &= 0xb7;  // magnitudes below 2
            if (f == Format::e2m1) out[at] = std::uint8_t(0x10 + random() % 16);
            if (f == Format::mxfp4) out[at] = std::uint8_t(118 + random() % 4);
            if (f == Format::nvfp4) for (std::size_t j = 0; j < 4; ++j) out[at + j] = std::uint8_t(0x10 + random() % 16);
        }
        return out;
    }

    static Weight plain(Format f, const std::vector<std::uint8_t>& data, int rows, int cols, int stack = 1) {
        return {f, Layout::plain, rows, cols, data.data(), data.size() / std::size_t(stack)};
    }

    // The same weight as the target wants it.
    static Weight packed(const Ops& ops, const Weight& w, int stack, Memory& into) {
        const std::size_t bytes = ops.packed_bytes(w.format, w.rows, w.cols);
        if (bytes == 0) return w;
        into = Memory(bytes * std::size_t(stack));
        for (int e = 0; e < stack; ++e) {
            Weight one = w;
            one.data = w.matrix(e);
            ops.pack(one, into.data() + std::size_t(e) * bytes);
        }
        Weight out = w;
        out.layout = Layout::panel16;
        out.data = into.data();
        out.stride = bytes;
        return out;
    }

    std::vector<float> product(const Ops& ops, const Weight& w, std::vector<float> x, int n, const float* bias, bool accumulate) {
        Memory room(0);
        const Weight use = packed(ops, w, 1, room);
        std::vector<float> out(std::size_t(n) * w.rows, 0.5f);
        MatmulJob job{&use, {out.data(), n, w.rows}, bias, accumulate};
        ops.matmul(&job, 1, {x.data(), n, w.cols}, exec);
        return out;
    }

    struct Run {
        const Ops* ops;
        bool exact;
        std::string name;
        bool emulated = false;
        // Of a product with such weights.
        double tolerance(Format f) const { return exact ? kFloatError : f == Format::bf16 ? kBf16Error : !has_float_values(f) ? kInt8Error : kFloatError; }
    };
    static std::vector<Run> runs() {
        std::vector<Run> out;
        for (bool exact : {false, true})
            for (const Target& t : tested_targets(exact))
                if (t.available && t.name != "ref") out.push_back({t.ops, exact, t.name + (exact ? " exact" : " fast"), t.reason == "emulated"});
        return out;
    }
    // An emulated target takes one case of seven: seven divides no number of cases of a loop here, so that each value has its turn.
    bool left_out(const Run& run) { return run.emulated && cases++ % 7 != 0; }
    unsigned cases = 0;
};

}  // namespace engine::testing
