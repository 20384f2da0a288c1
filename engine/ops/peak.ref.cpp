#include "engine/ops/ref.h"

namespace engine::ref {
namespace {

// Four sums beside each other, which nothing may leave out or work out beforehand.
template <class T>
double sums_of_products(long rounds) {
    T sum[4] = {}, factor = T(3);
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+r"(r));
        for (T& s : sum) {
            s += factor * T(2);
            asm volatile("" : "+m"(s));
        }
    }
    return double(rounds) * 4 * 2;
}

}  // namespace

double peak(Arithmetic arithmetic, long rounds) { return arithmetic == Arithmetic::int8 ? sums_of_products<unsigned>(rounds) : sums_of_products<double>(rounds); }

}  // namespace engine::ref
