// Shadow calls: some calls of a model are made again to another, and what differs is kept. Nobody sees that answer, and no tool that
// it calls runs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "router/types.h"

namespace router {

// Of an alias: which model is tried in its shadow, and on what share of the calls (0 to 1).
struct ShadowRow {
    std::string model;
    double share = 0;
};

// How a call went with the model that was asked and with its shadow.
struct ShadowDelta {
    OnBehalf who;
    std::string alias, shadow, purpose;
    bool same_calls = false;   // of tools, names and arguments
    double likeness = 0;       // of the texts; see likeness()
    Usage was, now;
    std::chrono::microseconds took{0}, took_now{0};
    std::string error;         // why the shadow did not answer; then only `was` counts
};

// Which calls are made again: evenly, so that of n calls share · n are, whatever n is.
class ShadowChoice {
public:
    bool next(double share);

private:
    double due_ = 0;
};

// Words that both texts have, twice, by the words of both (Sørensen-Dice over multisets): 1 for the same words, 0 for none in common.
double likeness(std::string_view a, std::string_view b);

void compare(ShadowDelta& delta, const ModelReply& was, const ModelReply& now);

}  // namespace router
