// Lets the turns of one conversation in one after the other, in the order of their coming.
//
// Two turns at once would each read a history without the other's words and write their answers
// between each other's. So the second waits until the first has ended; what it sent is committed
// only then. This holds within one process; among several, store::busy_run tells.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "base/stop.h"
#include "net/task.h"

namespace agents {

class Turnstile {
public:
    static constexpr int kMostWaiting = 16;  // in one conversation

    // Being inside; its end lets the next one in. Thread-safe, may outlive the turnstile.
    class Pass {
    public:
        virtual ~Pass() = default;
    };

    Turnstile();
    ~Turnstile();

    // Waits for its turn. Error{cancelled|deadline} when `stop` ends first, {conflict} at `until`,
    // {resource_exhausted} at once when too many wait already, {unavailable} after turn_away().
    net::Task<base::Result<std::unique_ptr<Pass>>> enter(base::ConversationId conversation, base::StopToken stop, base::SteadyPoint until);
    // Ends the waiting of all who wait now.
    void turn_away();

private:
    struct State;
    std::shared_ptr<State> state_;
};

// What a conversation that stays busy is told.
base::Error conversation_busy(base::ConversationId conversation);

}  // namespace agents
