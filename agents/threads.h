// What becomes of a message to a thread, and what a run may give to the threads that it spawns: the decisions, pure, and the
// transaction that follows them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agents/service.h"
#include "base/result.h"
#include "store/threads.h"

namespace agents {

// A thread as a message finds it.
struct Standing {
    bool closed = false;    // it has ended, or was cancelled
    bool works = false;     // some of its runs have not ended
    bool stopping = false;  // and the newest of them was asked to stop
};
enum class Way {
    begin,      // a run of its own, now
    wait,       // the same, behind those that work
    interrupt,  // the same, and those are stopped
    join,       // the newest run reads it
    refuse,
};
// `words`: the message is nothing but what a person says, which a run can read while it works.
Way way_of(store::Rule rule, const Standing& standing, bool words);

// What a run and all below it may use from now on.
struct Allowance {
    int tokens = 0;                 // of output
    std::chrono::seconds time{0};
    int depth = 0;                  // how far down threads may be spawned
    int threads = 0;                // how many, in all
    bool operator==(const Allowance&) const = default;
};
// What a child is to be given; 0: what is usual.
struct Wish {
    int tokens = 0;
    std::chrono::seconds time{0};
    int threads = 0;
};
inline constexpr int kMostDepth = 2, kMostThreads = 8;  // of a run that nobody spawned
inline constexpr int kKeptTokens = 256;                 // what a parent keeps to answer with
inline constexpr std::chrono::seconds kKeptTime{2};
inline constexpr std::chrono::seconds kUsualTime{120};

// The child's part, out of what is left; Error{resource_exhausted} naming what is not.
base::Result<Allowance> carve(const Allowance& left, const Wish& wish);
// What is left beside it.
Allowance without(const Allowance& left, const Allowance& child);
// Of a child that has ended, what its parent may use again: of `tokens` that it was given and the parent still holds for carved, what it has neither
// used nor holds for carved itself. Seconds and threads do not come back.
int come_back(int tokens, int used, int carved);

// What a message came to.
struct Entry {
    Way way = Way::begin;
    base::RunId run;                    // that it went into
    std::vector<base::RunId> stopping;  // that were asked to stop
};
// In the transaction that takes the request in, with the conversation locked. What is not joined is still to be taken in. Error{conflict} of
// what the thread does not take.
base::Result<Entry> enter_thread(store::Tx& tx, const ChatRequest& request);

}  // namespace agents
