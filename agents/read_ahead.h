// What the questions of the day to come begin with, read at night.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agents/service.h"

namespace agents {

// As the agents are made; all outlive the reading.
struct Reader {
    const Parts& parts;
    const Options& options;
    memory::PersonIndexes& memory;
};

struct ReadAhead {
    int prompts = 0, tokens = 0;  // tokens: that were computed, since no cache had them
};

// Has the models of this process read what a question of a person to an agent begins with that is asked at `when` (directives, prompt, worked examples, tools), of one pair after
// the other, so that it is answered as quickly as one of a conversation. It gives way to whoever calls a model, waits while `busy`, and takes up half of a model's cache at most. Nobody's budget
// pays for it.
net::Task<ReadAhead> read_ahead(Reader reader, std::vector<std::pair<store::Identity, std::string>> whom, base::TimePoint when, std::function<bool()> busy, base::StopToken stop);

}  // namespace agents
