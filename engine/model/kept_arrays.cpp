#include "engine/model/kept_arrays.h"

#include <algorithm>
#include <stdexcept>

namespace engine {
namespace {

constexpr std::size_t kPiece = 1 << 20, kLine = 256;

}  // namespace

const std::uint8_t* KeptArrays::place(Device& device, const void* data, std::size_t bytes) {
    if (!device.apart() || bytes == 0) return static_cast<const std::uint8_t*>(data);
    if (memory_.empty() || used_ + bytes > memory_.back().size()) {
        auto piece = device.allocate(std::max(kPiece, bytes), "norms, biases and scales");
        if (!piece) {
            error_ = std::move(piece).error();
            return nullptr;
        }
        memory_.push_back(*std::move(piece));
        used_ = 0;
    }
    std::uint8_t* const to = memory_.back().data() + used_;
    device.write(to, data, bytes);
    used_ += (bytes + kLine - 1) / kLine * kLine;
    return to;
}

const float* KeptArrays::keep(Device& device, std::vector<float> values) {
    floats_.push_back(std::move(values));
    places_.push_back(reinterpret_cast<const float*>(place(device, floats_.back().data(), floats_.back().size() * sizeof(float))));
    return places_.back();
}

const std::int32_t* KeptArrays::keep(Device& device, std::vector<std::int32_t> values) {
    integers_.push_back(std::move(values));
    return reinterpret_cast<const std::int32_t*>(place(device, integers_.back().data(), integers_.back().size() * sizeof(std::int32_t)));
}

base::Result<void> KeptArrays::fits() const {
    if (error_) return *error_;
    return {};
}

std::span<const float> KeptArrays::host(const float* kept) const {
    const auto at = std::ranges::find(places_, kept);
    if (at == places_.end()) throw std::logic_error("an array is not of this model");
    return floats_[std::size_t(at - places_.begin())];
}

}  // namespace engine
