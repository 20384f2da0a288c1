#include "engine/ops/rotation.h"

#include <cmath>

namespace engine {
namespace {

// n numbers, a power of two.
void rotate(float* x, int n, float factor) {
    for (int half = 1; half < n; half *= 2)
        for (int i = 0; i < n; i += 2 * half)
            for (int j = i; j < i + half; ++j) {
                const float a = x[j], b = x[j + half];
                x[j] = a + b, x[j + half] = a - b;
            }
    for (int i = 0; i < n; ++i) x[i] *= factor;
}

}  // namespace

void rotate_heads(Mat x, int d) {
    const int n = d & -d;
    const float factor = 1 / std::sqrt(float(n));
    float* const end = x.data + std::size_t(x.rows) * std::size_t(x.cols);
    for (float* at = x.data; at < end; at += n) rotate(at, n, factor);
}

}  // namespace engine
