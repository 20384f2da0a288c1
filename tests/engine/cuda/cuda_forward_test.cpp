// Whole models on the CUDA target, each step through its memory: near what ref computes.
#include <gtest/gtest.h>

#include "apart_steps.h"
#include "engine/cuda/cuda_ops.h"

namespace engine::testing {

// Float sums against double ones through a tiny model's layers: its logits are of the size of 1.
constexpr float kMost = 2e-3f;

TEST(CudaForward, IsNearRef) {
    for (const auto& file : apart::checkpoints()) {
        SCOPED_TRACE(file.string());
        const auto got = apart::logits_of(file, cuda_ops(true), KvFormat::f32), want = apart::logits_of(file, ref_ops(), KvFormat::f32);
        ASSERT_EQ(got.size(), want.size());
        float most = 0;
        for (std::size_t i = 0; i < got.size(); ++i) most = std::max(most, std::abs(got[i] - want[i]));
        EXPECT_LT(most, kMost);
    }
}

}  // namespace engine::testing
