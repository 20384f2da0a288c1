#include <algorithm>
#include <iterator>

#include "engine/cuda/decode.cuh"

namespace engine::cuda {
namespace {

template <class From, class To>
void copy(const From& from, To& to) {
    static_assert(sizeof from == sizeof to);
    std::copy(std::begin(from), std::end(from), std::begin(to));
}

Tables* upload() {
    Tables t;
    copy(blocks::iq2_xxs_grid, t.iq2_xxs), copy(blocks::iq2_xs_grid, t.iq2_xs), copy(blocks::iq2_s_grid, t.iq2_s);
    copy(blocks::iq1_grid, t.iq1), copy(blocks::iq3_xxs_grid, t.iq3_xxs), copy(blocks::iq3_s_grid, t.iq3_s), copy(kNonLinear, t.non_linear);
    void* out = nullptr;
    check(cudaMalloc(&out, sizeof t), "the tables of the formats");
    check(cudaMemcpy(out, &t, sizeof t, cudaMemcpyHostToDevice), "the tables of the formats");
    return static_cast<Tables*>(out);
}

}  // namespace

const Tables* tables() {
    static const Tables* const there = upload();
    return there;
}

}  // namespace engine::cuda
