// The roster: which models may be named, and what each name stands for.
#pragma once

#include <string>
#include <vector>

#include "router/budget.h"
#include "router/shadow.h"
#include "router/types.h"

namespace router {

// A name under which models are called. A codename is one with a character.
struct Alias {
    std::string name;
    std::vector<std::string> chain;   // backend ids, first choice first
    std::string character = {};       // who it is, in a few words
    std::string strengths = {};       // what it is asked for
    std::string prompt = {};          // said to the model before a bare call's messages; agents have prompts of their own
    int max_tokens = 0;               // of a reply; 0: what the request asks for
    SamplingRequest sampling = {};    // of what a request leaves open
    Budget budget = {};               // of all who call it
    ShadowRow shadow = {};            // share 0: none
};

// The request as the model gets it: prompt, limit and sampling of the row where it leaves them open.
ModelRequest shaped(ModelRequest request, const Alias& row);

}  // namespace router
