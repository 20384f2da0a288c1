// Judges replies after they were delivered: whether each does what was asked, by a model under grammar. The run has ended by then;
// the verdict is a span of its trace and changes nothing. It is made while no other call is under way (router/gateway gives way by
// the purpose "critic") and made again later where somebody came; what waits is in memory alone, and gone with the process.
#pragma once

#include <memory>
#include <string>

#include "agents/frame.h"

namespace agents {

struct Verdict {
    bool pass = false;
    std::string why;
};
// Of a reply under verdict_schema(). Error{corrupt}: it is none.
base::Result<Verdict> parse_verdict(const std::string& reply);
base::OrderedJson verdict_schema();

class Critic {
public:
    // No alias for "critic" among options.phase_alias: nothing is judged.
    Critic(const Parts& parts, const Options& options);
    ~Critic();  // what work() began goes on without it, and judges no more

    // The run, which has ended.
    void add(const Frame& frame, const Turn& turn);
    bool has_work() const;  // and nobody does it
    // Judges what waits, one after the other, on the caller's executor.
    net::Task<void> work() const;
    void close();           // thread-safe
    bool busy() const;      // a model is asked

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace agents
