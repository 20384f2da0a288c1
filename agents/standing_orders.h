// What an agent is told beside its own prompt, in order of rank: prime directives, those of the house, identity, the agent's
// prompt; and behind the prefix that is the same for everybody, with the person's message, what the person wants. The client's and the
// person's own words come last. A run is told what held when it began, whoever goes on with it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "prompts/render.h"
#include "store/db.h"
#include "store/people.h"

namespace agents {

struct Frame;

struct StandingOrders {
    struct One {
        std::string name, text;
    };
    std::vector<One> house, own;  // directives
    std::string tone;             // of the person
    std::string signal;           // MathCore's line (docs/mathcore.md); empty: none
};

// What is in force now.
StandingOrders read_standing_orders(store::Tx& tx, const store::Person& person);
base::Json to_json(const StandingOrders& standing);
StandingOrders standing_orders_from_json(const base::Json& json);
// For the trace, whose attributes no erasure reaches: the names of all directives, and a digest of the tone.
base::Json trace_of(const StandingOrders& standing);

// Of all agents: the names of the prompts that what is below is made with.
std::vector<std::string> standing_prompts();
// An agent's system message, with that prompt of its own last; the same for all people of a house.
base::Result<std::string> system_of(const Frame& frame, const std::string& prompt_name);
// The same of one of the roster's characters, who is somebody else than the identity says.
base::Result<std::string> system_of_character(const Frame& frame, const prompts::Variables& variables);
// What is noted of the conversation, and what the person wants; empty: nothing.
base::Result<std::string> wishes_of(const Frame& frame);

}  // namespace agents
