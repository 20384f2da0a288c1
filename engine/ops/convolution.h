// The way of every target's convolution through its rows: a sequence's channels are cut into items, whose rows follow each
// other, so that results do not depend on how they are cut into steps.
#pragma once

#include <algorithm>
#include <cstring>

#include "engine/ops/ops.h"

namespace engine {

// one(out, in, begin, n) computes channels [begin, begin + n) of a row; in(j) is what w(j) meets.
template <class One>
void convolve_rows(const ConvArgs& args, Exec& exec, One&& one) {
    constexpr int channels = 256;  // of one item
    const int width = args.x.cols, before = args.kernel - 1, parts = (width + channels - 1) / channels;
    exec.pool->run(args.n_sequences * parts, [&](int item, int) {
        const SequenceRows& s = args.sequences[item / parts];
        float* const state = s.state + args.state;
        const int begin = item % parts * channels, n = std::min(width, begin + channels) - begin;
        // Row t of what was and what comes; t counts from the first row of the step.
        const auto row = [&](int t) { return (t < 0 ? state + std::size_t(t + before) * width : args.x.row(s.first_row + t)) + begin; };
        for (int t = 0; t < s.rows; ++t) one(args.out.row(s.first_row + t) + begin, [&](int j) { return row(t - before + j); }, begin, n);
        for (int i = 0; i < before; ++i)  // ascending: never overwrites one still needed
            std::memmove(state + std::size_t(i) * width + begin, row(s.rows - before + i), std::size_t(n) * sizeof(float));
    });
}

}  // namespace engine
