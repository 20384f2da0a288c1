// A program that has the CUDA target in it: starts wherever it is, and says what the device can do or why there is none.
#include <cstdio>
#include <stdexcept>

#include "engine/cuda/cuda_ops.h"

int main() {
    try {
        std::printf("%.3g operations done\n", engine::cuda_ops(true).peak(engine::Arithmetic::float32, 1000));
    } catch (const std::runtime_error& e) {
        std::printf("no device: %s\n", e.what());
    }
}
