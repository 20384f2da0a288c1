#include "engine/ops/rotation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace engine {

// Twice is once back, lengths stay, and what one number of a head was, all of its stretch share.
TEST(Rotation, IsItsOwnInverseAndSpreadsOneNumber) {
    for (int d : {16, 48, 64, 72, 80, 96, 128, 576}) {
        SCOPED_TRACE(d);
        const int heads = 3, n = d & -d;
        std::mt19937 random{5};
        std::vector<float> x(std::size_t(2 * heads * d));
        for (float& v : x) v = float(int(random() % 2001) - 1000) * 1e-3f;
        auto turned = x;
        rotate_heads({turned.data(), 2, heads * d}, d);
        double before = 0, after = 0;
        for (std::size_t i = 0; i < x.size(); ++i) before += double(x[i]) * x[i], after += double(turned[i]) * turned[i];
        EXPECT_NEAR(after, before, 1e-5 * before);
        rotate_heads({turned.data(), 2, heads * d}, d);
        for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(turned[i], x[i], 1e-5);

        std::vector<float> one(std::size_t(d), 0.0f);
        one[5] = 8;
        rotate_heads({one.data(), 1, d}, d);
        for (int i = 0; i < d; ++i) ASSERT_NEAR(std::fabs(one[std::size_t(i)]), i < n ? 8 / std::sqrt(float(n)) : 0, 1e-5);
    }
}

}  // namespace engine
