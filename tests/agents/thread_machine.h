// What a thread does, as a machine whose moves are the transactions of the product: each message, step, end and stop is one of them. The
// decisions are the product's own; the moves are held against PostgreSQL by threads_test.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "agents/threads.h"

namespace agents::testing {

struct ThreadMachine {
    enum class End { open, answered, cancelled, failed };
    struct Run {
        int own = 0;                 // the message that it answers
        bool begun = false, stopping = false, rests = false;
        std::vector<int> unread{};   // inputs
        std::vector<int> heard{};    // the messages of its turns
        End end = End::open;
        int answered_at = 0;         // the clock
        int steps = 0;
    };
    store::Rule rule = store::Rule::queue;
    bool closed = false;
    std::vector<Run> runs;
    std::vector<int> said;           // the messages of the conversation, in order
    std::map<int, int> came, stopped_at;  // by message: when it came; by run: when a stop was asked for
    int clock = 0;

    std::vector<std::size_t> open() const {  // the newest first
        std::vector<std::size_t> out;
        for (std::size_t i = runs.size(); i-- > 0;)
            if (runs[i].end == End::open) out.push_back(i);
        return out;
    }

    Way arrive(int message) {
        ++clock;
        const auto working = open();
        const Way way = way_of(rule, {closed, !working.empty(), !working.empty() && runs[working.front()].stopping}, true);
        if (way == Way::refuse) return way;
        came[message] = clock;
        if (way == Way::join) {
            runs[working.front()].unread.push_back(message);
            return way;
        }
        if (way == Way::interrupt)
            for (const auto run : working) stop(run);
        runs.push_back({message});
        return way;
    }
    // The oldest that nobody has begun, when none works.
    bool begin() {
        ++clock;
        for (Run& run : runs) {
            if (run.end != End::open) continue;
            if (run.begun) return false;
            run.begun = true;
            hear(run, run.own);
            return true;
        }
        return false;
    }
    Run* working() {
        for (Run& run : runs)
            if (run.end == End::open && run.begun) return &run;
        return nullptr;
    }
    // A model's step reads what was added.
    void step() {
        ++clock;
        Run* run = working();
        if (!run || run->stopping || run->rests) return;
        ++run->steps;
        for (const int message : std::exchange(run->unread, {})) hear(*run, message);
    }
    // The run would end: well, unless a stop was asked for or it fails.
    void end(bool fails) {
        ++clock;
        Run* run = working();
        if (!run || run->rests) return;
        if (!run->stopping && !fails && !run->unread.empty()) {
            for (const int message : std::exchange(run->unread, {})) hear(*run, message);  // a turn of its own
            return;
        }
        leave(*run);
        run->end = run->stopping ? End::cancelled : fails ? End::failed : End::answered;
        run->answered_at = clock;
    }
    // It waits for a person's word; and has it.
    void rest(bool rests) {
        ++clock;
        Run* run = working();
        if (run && !run->stopping) run->rests = rests;
    }
    void stop(std::size_t index) {
        Run& run = runs[index];
        if (run.end != End::open || run.stopping) return;
        stopped_at[int(index)] = ++clock;
        run.stopping = true;
        if (!run.rests) return;
        leave(run);
        run.end = End::cancelled;
    }
    void stop_thread() {
        for (const auto run : open()) stop(run);
        closed = true;
    }
    // Nothing comes any more.
    void settle() {
        for (int i = 0; i < 1000 && !open().empty(); ++i) {
            begin();
            rest(false);
            end(false);
        }
    }

private:
    void hear(Run& run, int message) {
        said.push_back(message);
        run.heard.push_back(message);
    }
    void leave(Run& run) {
        for (const int message : std::exchange(run.unread, {})) hear(run, message);
    }
};

}  // namespace agents::testing
