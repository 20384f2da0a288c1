// A model's small arrays: norms, biases, scales, frequencies, orders of columns. Where the device is apart they lie in its memory, and
// the CPU keeps its own copies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/device/device.h"

namespace engine {

class KeptArrays {
public:
    // Where operations find the values, as long as this lives. Null when the device has no room, see fits().
    const float* keep(Device& device, std::vector<float> values);
    const std::int32_t* keep(Device& device, std::vector<std::int32_t> values);
    base::Result<void> fits() const;

    // The CPU's copies: of one by where operations find it, and all in the order in which they came.
    std::span<const float> host(const float* kept) const;
    const std::vector<std::vector<float>>& floats() const { return floats_; }

private:
    const std::uint8_t* place(Device& device, const void* data, std::size_t bytes);

    std::vector<std::vector<float>> floats_;
    std::vector<const float*> places_;               // of these
    std::vector<std::vector<std::int32_t>> integers_;
    std::vector<DeviceMemory> memory_;               // pieces that several arrays share
    std::size_t used_ = 0;                           // of the last one
    std::optional<base::Error> error_;
};

}  // namespace engine
