// Whether the machine still has memory to give while a model runs: pages of the KV cache are taken as conversations grow, and
// what others take meanwhile no plan knows of.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace engine {

class MemoryGuard {
public:
    // available: bytes that can still be taken. `reserve` of them are to stay free.
    MemoryGuard(std::function<std::uint64_t()> available, std::uint64_t reserve) : available_(std::move(available)), reserve_(reserve) {}

    // What is wrong, or "". Looks at most so often that it costs nothing beside a step.
    std::string short_of(std::chrono::steady_clock::time_point now);

private:
    const std::function<std::uint64_t()> available_;
    const std::uint64_t reserve_;
    std::chrono::steady_clock::time_point next_{};
};

}  // namespace engine
