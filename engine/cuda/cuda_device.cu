#include "engine/cuda/cuda_device.h"

#include "engine/cuda/device.cuh"

namespace engine {
namespace {

using cuda::check, cuda::stream;

class CudaDevice final : public Device {
public:
    bool apart() const override { return true; }
    base::Result<DeviceMemory> allocate(std::size_t bytes, const std::string& purpose) override {
        if (bytes == 0) return DeviceMemory();
        void* at = nullptr;
        if (const cudaError_t error = cudaMalloc(&at, bytes); error != cudaSuccess) {
            std::size_t free = 0, all = 0;
            cudaMemGetInfo(&free, &all);
            return base::error(base::Code::resource_exhausted,
                               "cannot get " + std::to_string(bytes >> 20) + " MiB of the CUDA device's memory for " + purpose + ": " + cudaGetErrorString(error) + "; " + std::to_string(free >> 20) + " of " +
                                   std::to_string(all >> 20) + " MiB are free",
                               "end what else uses the device, or use a smaller model, context or fewer sequences");
        }
        DeviceMemory out(std::shared_ptr<void>(at, cudaFree), static_cast<std::uint8_t*>(at), bytes);
        clear(at, bytes);
        check(cudaStreamSynchronize(stream), "clearing memory");  // another CPU thread may use it first
        return out;
    }
    void copy(void* to, const void* from, std::size_t bytes) override { check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying"); }
    void clear(void* at, std::size_t bytes) override { check(cudaMemsetAsync(at, 0, bytes, stream), "clearing"); }
    void write(void* to, const void* from, std::size_t bytes) override { bring(to, from, bytes, cudaMemcpyHostToDevice); }
    void read(void* to, const void* from, std::size_t bytes) override { bring(to, from, bytes, cudaMemcpyDeviceToHost); }

private:
    static void bring(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
        check(cudaMemcpyAsync(to, from, bytes, kind, stream), "copying");
        check(cudaStreamSynchronize(stream), "copying");
    }
};

}  // namespace

Device& cuda_device() {
    static CudaDevice device;
    return device;
}

}  // namespace engine
