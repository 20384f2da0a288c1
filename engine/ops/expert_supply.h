// Experts that are not all in memory, as the operation that computes them asks for them.
#pragma once

#include <cstdint>

namespace engine {

class ExpertSupply {
public:
    virtual ~ExpertSupply() = default;
    // Begins to bring the `n` experts (each once) of a stack. Moves those that are in memory to the front of `experts` and
    // returns how many, from the front on, are there or on their way: at least one. They stay until the next call.
    virtual int begin(int stack, std::int32_t* experts, int n) = 0;
    // Blocks until one of them is where Weight::places says; from any CPU thread. false: it cannot be read, and the step has
    // no result.
    virtual bool wait(int stack, std::int32_t expert) = 0;
};

}  // namespace engine
