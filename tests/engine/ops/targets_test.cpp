// Every target agrees with ref, through pack, on every format and on odd sizes.
#include "targets.h"

#include <cstdlib>

#include "engine/target_choice.h"

namespace engine::testing {

TEST_F(TargetsTest, RefIsLastAndAlwaysThere) {
    for (bool exact : {false, true}) {
        const auto all = targets(exact);
        ASSERT_FALSE(all.empty());
        EXPECT_EQ(all.back().name, "ref");
        EXPECT_TRUE(all.back().available);
        for (const Target& t : all) EXPECT_FALSE(t.reason.empty()) << t.name;
    }
}

// HEARTH_BEST_TARGET: what whoever emulates a processor knows of it.
TEST_F(TargetsTest, LoadingTakesTheBestTargetOfTheProcessor) {
    const char* const known = std::getenv("HEARTH_BEST_TARGET");
    for (Profile profile : {Profile::exact, Profile::fast}) {
        const auto all = targets(profile == Profile::exact);
        const auto best = std::find_if(all.begin(), all.end(), [](const Target& t) { return t.available; });
        const auto chosen = choose_target({.profile = profile});
        ASSERT_TRUE(chosen);
        EXPECT_EQ(chosen->name, known ? known : best->name);
        for (auto t = all.begin(); t != best; ++t) {
            const auto refused = choose_target({.profile = profile, .target = t->name});
            ASSERT_FALSE(refused) << t->name;
            EXPECT_NE(refused.error().text().find("the processor lacks"), std::string::npos) << refused.error().text();
        }
    }
}

TEST_F(TargetsTest, MatmulAgreesWithRef) {
    for (const Run& run : runs())
        for (Format f : formats())
            for (int cols : columns_of(f))
                for (int rows : {1, 15, 16, 50, 129})
                    for (int n : {1, 3, 8, 21}) {
                        if (left_out(run)) continue;
                        SCOPED_TRACE(run.name + " " + info(f).name + " " + std::to_string(rows) + " x " + std::to_string(cols) +
                                     ", n " + std::to_string(n));
                        const auto data = blocks(f, rows, cols);
                        const auto x = floats(std::size_t(n) * cols), bias = floats(std::size_t(rows));
                        const Weight w = plain(f, data, rows, cols);
                        const bool accumulate = n == 3;
                        const auto want = product(ref_ops(), w, x, n, bias.data(), accumulate);
                        const auto got = product(*run.ops, w, x, n, bias.data(), accumulate);
                        EXPECT_LT(relative_error(got, want, squared_terms(w, x)), run.tolerance(f));
                    }
}

// Every code as large or as small as it gets, every activation at its limit: no sum inside may overflow.
TEST_F(TargetsTest, TheLargestCodesDoNotOverflow) {
    for (const Run& run : runs())
        for (Format f : formats()) {
            if (has_float_values(f)) continue;
            for (int code : {0x00, 0x7f, 0x80, 0xff, 0x88})
                for (float value : {1.f, -1.f})
                    for (int n : {1, 3, 8}) {
                        SCOPED_TRACE(run.name + " " + info(f).name + " code " + std::to_string(code) + " x " + std::to_string(value));
                        const int rows = 17, cols = std::max(32, info(f).values * 2);
                        auto data = blocks(f, rows, cols);
                        for (std::size_t at = 0; at < data.size(); at += std::size_t(info(f).bytes))
                            for (int i = 0; i < info(f).bytes; ++i) {
                                bool kept = ((f == Format::mxfp4 || f == Format::e2m1) && i == 0) || (f == Format::nvfp4 && i < 4) || (f == Format::int4 && i < 5) || (f == Format::iq1_m && i >= 48);
                                for (int offset : halves_of(f)) kept = kept || i == offset || i == offset + 1;
                                if (!kept) data[at + std::size_t(i)] = std::uint8_t(code);
                            }
                        const std::vector<float> x(std::size_t(n) * cols, value);  // int8 holds them exactly
                        const Weight w = plain(f, data, rows, cols);
                        EXPECT_LT(relative_error(product(*run.ops, w, x, n, nullptr, false), product(ref_ops(), w, x, n, nullptr, false),
                                                 std::max(squared_terms(w, x), 1e-12)),  // all weights may be zero
                                  kFloatError);
                    }
        }
}

TEST_F(TargetsTest, ARowDoesNotDependOnItsBatch) {
    for (const Run& run : runs())
        for (Format f : formats()) {
            if (left_out(run)) continue;
            SCOPED_TRACE(run.name + " " + info(f).name);
            const int rows = 70, cols = info(f).values == 1 ? 333 : 768, most = 29;
            const auto data = blocks(f, rows, cols);
            const auto x = floats(std::size_t(most) * cols);
            const Weight w = plain(f, data, rows, cols);
            std::vector<std::vector<float>> alone;
            for (int r = 0; r < most; ++r) alone.push_back(product(*run.ops, w, {x.begin() + r * cols, x.begin() + (r + 1) * cols}, 1, nullptr, false));
            for (const int n : {5, 13, most}) {
                const auto together = product(*run.ops, w, {x.begin(), x.begin() + n * cols}, n, nullptr, false);
                for (int r = 0; r < n; ++r)
                    EXPECT_EQ(std::memcmp(alone[std::size_t(r)].data(), &together[std::size_t(r) * rows], std::size_t(rows) * 4), 0) << "row " << r << " of " << n;
            }
        }
}

TEST_F(TargetsTest, PackedWeightsHoldTheirExactValues) {
    // A unit vector picks one column out of the float product: the stored value, bit by bit.
    for (const Run& run : runs()) {
        if (!run.exact) continue;
        for (Format f : formats()) {
            if (left_out(run)) continue;
            const int rows = 18, cols = info(f).values == 1 ? 37 : 768;
            const auto data = blocks(f, rows, cols);
            std::vector<float> want(std::size_t(rows) * cols);
            dequantise(f, data.data(), want.data(), want.size());
            std::vector<float> x(std::size_t(cols) * cols);
            for (int c = 0; c < cols; ++c) x[std::size_t(c) * cols + c] = 1;
            const auto got = product(*run.ops, plain(f, data, rows, cols), x, cols, nullptr, false);
            int wrong = 0;
            for (int r = 0; r < rows; ++r)
                for (int c = 0; c < cols; ++c) wrong += got[std::size_t(c) * rows + r] != want[std::size_t(r) * cols + c];
            EXPECT_EQ(wrong, 0) << info(f).name;
        }
    }
}

TEST_F(TargetsTest, SeveralJobsShareTheirInput) {
    for (const Run& run : runs()) {
        const int cols = 96, n = 5;
        const auto a = blocks(Format::q5_0, 40, cols), b = blocks(Format::q8_0, 17, cols), c = blocks(Format::f32, 33, cols);
        auto x = floats(std::size_t(n) * cols);
        const Weight weights[] = {plain(Format::q5_0, a, 40, cols), plain(Format::q8_0, b, 17, cols), plain(Format::f32, c, 33, cols)};
        std::vector<Memory> rooms(3, Memory(0));
        std::vector<Weight> use;
        std::vector<std::vector<float>> out;
        for (int j = 0; j < 3; ++j) {
            use.push_back(packed(*run.ops, weights[j], 1, rooms[std::size_t(j)]));
            out.emplace_back(std::size_t(n) * weights[j].rows);
        }
        std::vector<MatmulJob> jobs;
        for (int j = 0; j < 3; ++j) jobs.push_back({&use[std::size_t(j)], {out[std::size_t(j)].data(), n, weights[j].rows}, nullptr, false});
        run.ops->matmul(jobs.data(), 3, {x.data(), n, cols}, exec);
        for (int j = 0; j < 3; ++j)
            EXPECT_LT(relative_error(out[std::size_t(j)], product(ref_ops(), weights[j], x, n, nullptr, false)), kInt8Error) << j;
        EXPECT_EQ(scratch.used(), 0u);
    }
}

TEST_F(TargetsTest, ScalesAndOrdersOfAWeightAgreeWithTheirDefinition) {
    const int rows = 33, cols = 96;
    const float scale = 0.375f;
    std::vector<std::int32_t> order(cols);
    for (int c = 0; c < cols; ++c) order[std::size_t(c)] = c * 7 % cols;  // 7 and 96 have no common factor
    auto all = runs();
    all.push_back({&ref_ops(), true, "ref"});
    for (const Run& run : all)
        for (Format f : {Format::e2m1, Format::int4, Format::q8_0, Format::bf16}) for (int n : {1, 5}) {
            SCOPED_TRACE(run.name + " " + info(f).name + ", n " + std::to_string(n));
            const auto data = blocks(f, rows, cols);
            const auto x = floats(std::size_t(n) * cols);
            Weight w = plain(f, data, rows, cols);
            std::vector<float> values(std::size_t(rows) * cols), want;
            dequantise(f, data.data(), values.data(), values.size());
            w.order = order.data();
            w.scales = &scale;
            for (int r = 0; r < n; ++r)
                for (int o = 0; o < rows; ++o) {
                    double sum = 0;
                    for (int c = 0; c < cols; ++c) sum += double(values[std::size_t(o * cols + c)]) * x[std::size_t(r * cols + order[std::size_t(c)])];
                    want.push_back(float(sum * scale));
                }
            EXPECT_LT(relative_error(product(*run.ops, w, x, n, nullptr, false), want), run.tolerance(f));
        }
}

TEST_F(TargetsTest, ExpertsMeetTheirInputsInTheirOwnOrders) {
    const int h = 64, inner = 96, experts = 3, used = 2, n = 9;
    std::vector<float> scales{0.5f, 1.25f, 0.75f};
    const auto orders = [&](int cols, int step) {
        std::vector<std::int32_t> out;
        for (int e = 0; e < experts; ++e)
            for (int c = 0; c < cols; ++c) out.push_back((c * step + e) % cols);
        return out;
    };
    const auto gate_order = orders(h, 5), up_order = orders(h, 11), down_order = orders(inner, 7);
    for (const Run& run : runs())
        for (Format f : {Format::e2m1, Format::q8_0}) {
            SCOPED_TRACE(run.name + " " + info(f).name);
            const auto g = blocks(f, experts * inner, h), u = blocks(f, experts * inner, h), d = blocks(f, experts * h, inner);
            Weight gate = plain(f, g, inner, h, experts), up = plain(f, u, inner, h, experts), down = plain(f, d, h, inner, experts);
            gate.order = gate_order.data(), up.order = up_order.data(), down.order = down_order.data();
            gate.scales = up.scales = down.scales = scales.data();
            auto x = floats(std::size_t(n) * h);
            std::vector<std::int32_t> chosen;
            std::vector<float> weights;
            for (int i = 0; i < n * used; ++i) chosen.push_back((i / used + i % used) % experts), weights.push_back(0.25f + 0.125f * float(i % 5));
            const auto result = [&](const Ops& ops) {
                Memory a(0), b(0), c(0);
                std::vector<float> out(std::size_t(n) * h);
                MoeArgs args{{out.data(), n, h}, {x.data(), n, h}, packed(ops, gate, experts, a), packed(ops, up, experts, b),
                             packed(ops, down, experts, c), nullptr, nullptr, nullptr, chosen.data(), weights.data(), experts, used};
                ops.moe_ffn(args, exec);
                return out;
            };
            EXPECT_LT(relative_error(result(*run.ops), result(ref_ops())), run.exact ? kFloatError : 2 * kInt8Error);
        }
}

TEST_F(TargetsTest, ExpertsAgreeWithRefAndDoNotDependOnTheBatch) {
    Pool many{7};  // more than the experts that a row chooses: they are cut
    for (const Run& run : runs())
        for (Format f : {Format::f16, Format::bf16, Format::q4_k, Format::q8_0, Format::mxfp4, Format::q2_k, Format::nvfp4, Format::iq3_xxs}) {
            if (left_out(run)) continue;
            SCOPED_TRACE(run.name + " " + info(f).name);
            const int h = 256, inner = 512, experts = 5, used = 2, n = 37;
            const auto g = blocks(f, experts * inner, h), u = blocks(f, experts * inner, h), d = blocks(f, experts * h, inner);
            const Weight gate = plain(f, g, inner, h, experts), up = plain(f, u, inner, h, experts), down = plain(f, d, h, inner, experts);
            auto x = floats(std::size_t(n) * h);
            const auto biases = floats(std::size_t(experts * inner + 1000));
            std::vector<std::int32_t> chosen;
            std::vector<float> weights;
            for (int r = 0; r < n; ++r)
                for (int k = 0; k < used; ++k) {
                    chosen.push_back((r * r + k * (1 + r % 3)) % experts);  // expert lists of different lengths
                    weights.push_back(0.25f + 0.5f * float(k));
                }
            auto result = [&](const Ops& ops, int first, int rows, Pool& on) {
                Memory a(0), b(0), c(0);
                std::vector<float> out(std::size_t(rows) * h, 0.125f);
                MoeArgs args{{out.data(), rows, h}, {x.data() + std::size_t(first) * h, rows, h}, packed(ops, gate, experts, a),
                             packed(ops, up, experts, b), packed(ops, down, experts, c), &biases[0], &biases[1000], &biases[50], &chosen[std::size_t(first * used)],
                             &weights[std::size_t(first * used)], experts, used};
                Exec with{&on, &scratch};
                ops.moe_ffn(args, with);
                return out;
            };
            const auto together = result(*run.ops, 0, n, pool);
            EXPECT_LT(relative_error(together, result(ref_ops(), 0, n, pool)), 2 * run.tolerance(f));
            EXPECT_EQ(together, result(*run.ops, 0, n, many));
            for (int r = 0; r < n; r += 9)
                for (Pool* on : {&pool, &many})
                    EXPECT_EQ(std::memcmp(result(*run.ops, r, 1, *on).data(), &together[std::size_t(r) * h], h * 4), 0) << "row " << r;
        }
}

}  // namespace engine::testing
