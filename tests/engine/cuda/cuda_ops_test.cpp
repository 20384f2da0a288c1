// The CUDA target's table, and the operations that the suite of all targets does not hold against ref.
#include "engine/cuda/cuda_ops.h"

#include <array>

#include "targets.h"

namespace engine::testing {

TEST(CudaOps, NoEntryIsRefs) {
    struct Entries {
        std::array<void*, sizeof(Ops) / sizeof(void*)> at;
        explicit Entries(const Ops& ops) { std::memcpy(at.data(), &ops, sizeof ops); }
    };
    for (bool exact : {false, true}) {
        const Entries ours(cuda_ops(exact)), refs(ref_ops());
        for (std::size_t i = 0; i < ours.at.size(); ++i) {
            EXPECT_NE(ours.at[i], nullptr) << "entry " << i;
            EXPECT_NE(ours.at[i], refs.at[i]) << "entry " << i;
        }
    }
}

struct CudaOpsTest : TargetsTest {
    const Ops& cuda = cuda_ops(true);
};

TEST_F(CudaOpsTest, EmbedGivesTheExactValues) {
    for (Format f : formats()) {
        const int rows = 7, cols = info(f).values == 1 ? 37 : 768;
        const auto data = blocks(f, rows, cols);
        const std::int32_t ids[] = {6, 0, 3, 3};
        std::vector<float> got(std::size_t(4) * cols), want(got.size());
        cuda.embed({got.data(), 4, cols}, plain(f, data, rows, cols), ids, exec);
        ref_ops().embed({want.data(), 4, cols}, plain(f, data, rows, cols), ids, exec);
        EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size() * 4), 0) << info(f).name;
    }
}

TEST_F(CudaOpsTest, ScalesAgreeWithRef) {
    for (int cols : {1, 33, 300}) {
        const int n = 5;
        auto x = floats(std::size_t(n) * cols);
        for (float& v : x) v *= 20;
        auto gate = floats(n);
        const auto both = [&](auto&& act) {
            auto got = x, want = x;
            act(cuda, Mat{got.data(), n, cols});
            act(ref_ops(), Mat{want.data(), n, cols});
            EXPECT_LT(relative_error(got, want), kFloatError) << cols;
        };
        both([&](const Ops& ops, Mat m) { ops.scale(m, 0.3f, exec); });
        both([&](const Ops& ops, Mat m) { ops.scale_rows(m, {gate.data(), n, 1}, exec); });
        both([&](const Ops& ops, Mat m) { ops.softcap(m, 7, exec); });
    }
}

TEST_F(CudaOpsTest, RoutesAgreeWithRef) {
    for (int experts : {8, 60, 128})
        for (bool sigmoid : {false, true})
            for (bool biased : {false, true})
                for (int groups : {1, 4})
                    for (int used : {1, 4}) {
                        SCOPED_TRACE(std::to_string(experts) + " experts, " + std::to_string(groups) + " groups, " + std::to_string(used) + " used");
                        const int n = 9;
                        auto logits = floats(std::size_t(n) * experts);
                        for (int e = 0; e < experts; ++e) logits[std::size_t(e)] = float(e % 3);  // ties
                        const auto bias = floats(std::size_t(experts)), scales = floats(std::size_t(experts));
                        std::vector<std::int32_t> got(std::size_t(n) * used), want(got.size());
                        std::vector<float> weights(got.size()), wanted(got.size());
                        RouteArgs args{{logits.data(), n, experts}, used, sigmoid, !biased, 2.5f, groups, groups / 2 + groups % 2, biased ? bias.data() : nullptr,
                                       biased ? scales.data() : nullptr, got.data(), weights.data()};
                        cuda.moe_route(args, exec);
                        args.chosen = want.data(), args.weights = wanted.data();
                        ref_ops().moe_route(args, exec);
                        EXPECT_EQ(got, want);
                        EXPECT_LT(relative_error(weights, wanted), kFloatError);
                    }
}

TEST_F(CudaOpsTest, MoreSequencesThanALaunchTakesAreAllAppendedAndAttended) {
    const int n = 70, d = 16;
    const auto kv_bytes = std::size_t(n) * kv_head_bytes(KvFormat::f32, d);
    std::vector<std::uint8_t> k(kv_bytes), v(kv_bytes), k2(kv_bytes), v2(kv_bytes);
    std::vector<std::int32_t> of(n);
    std::vector<SequenceRows> sequences;
    for (int i = 0; i < n; ++i) of[std::size_t(i)] = n - 1 - i, sequences.push_back({i, 1, 0, &of[std::size_t(i)]});
    auto keys = floats(std::size_t(n) * d), values = floats(std::size_t(n) * d), q = floats(std::size_t(n) * d);
    std::vector<float> got(q.size()), want(q.size());
    const auto act = [&](const Ops& ops, std::vector<std::uint8_t>& km, std::vector<std::uint8_t>& vm, std::vector<float>& out) {
        const KvLayer kv{km.data(), vm.data(), KvFormat::f32, 1, d};
        ops.kv_append(kv, {keys.data(), n, d}, {values.data(), n, d}, sequences.data(), n, exec);
        ops.attention({{out.data(), n, d}, {q.data(), n, d}, kv, sequences.data(), n, 1, 0.25f}, exec);
    };
    act(cuda, k, v, got);
    act(ref_ops(), k2, v2, want);
    EXPECT_EQ(k, k2);
    EXPECT_EQ(v, v2);
    EXPECT_LT(relative_error(got, want), kFloatError);
}

}  // namespace engine::testing
