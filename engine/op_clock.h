// What each operation of a step takes, beside the bytes and the arithmetic that it cannot do without.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "engine/ops/ops.h"

namespace engine {

// What a call must do at least: weights, keys and states move between memory and processor once, each product and each sum
// is done. Vectors of activations stay in the caches.
struct OpCost {
    std::string formats{};                // of the weights, or of keys and values; "" where neither is read
    int rows = 0, outputs = 0, inputs = 0;  // the product's M, N and K; of attention: N the heads' width, K the keys that a row sees
    double bytes = 0, operations = 0;
    Arithmetic arithmetic = Arithmetic::float32;
};

// Calls of one shape.
struct OpTime {
    std::string op;
    OpCost cost;                          // of one call, the mean
    int calls = 0;
    double seconds = 0;                   // of all calls
};

// Stands between forward() and a target's operations and looks at the clock.
class OpClock {
public:
    // exact: the target was chosen for profile exact.
    OpClock(const Ops& ops, bool exact);

    const Ops* timed() const { return &timed_; }  // for Model::ops; each Exec must name this clock
    std::vector<OpTime> times() const;            // those that took longest first
    void restart() { times_.clear(); }

    const Ops& inner() const { return inner_; }
    bool exact() const { return exact_; }
    void add(const char* op, const OpCost& cost, double seconds);

private:
    const Ops& inner_;
    const bool exact_;
    Ops timed_;
    std::map<std::tuple<std::string, std::string, int, int, int>, OpTime> times_;
};

}  // namespace engine
