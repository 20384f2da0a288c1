// Runs as somebody looks for them.
#pragma once

#include "store/runs.h"

namespace store {

// What is empty matches all.
struct RunFilter {
    std::string state;  // a final or resting one, or "open": of those that have not ended
    std::string alias;
    std::string text;   // anywhere in the question, however it is capitalised
    std::string tool{};  // that the run has called
    std::optional<base::TimePoint> since{}, until{};  // when it began; until without it
};
// The newest first.
std::vector<Run> list_runs(Tx& tx, int limit, std::optional<base::RunId> before, const RunFilter& filter);

// SQL: the text of the message m, at most 300 characters; empty where it holds a zero byte, which PostgreSQL's JSON does not take.
extern const char* const kTextOfMessage;

}  // namespace store
