// A scripted case, asked of the running server.
#pragma once

#include <map>
#include <string>

#include "agents/quality.h"

namespace app {

struct Asked {
    agents::quality::Outcome outcome;
    std::string run, model;              // of its last turn
    std::map<std::string, int> prompts;  // the versions that it ran with
    std::string refused;                 // what the server refused the request with, before there was a run
};

// Its turns one after the other in a conversation of their own, greedily, in a folder of its own that is gone afterwards; with
// `prompts` in place of the live versions. An error is no outcome of the case: no server, no model, nobody who may ask.
base::Result<Asked> ask_case(const std::string& socket, const agents::quality::Case& one, const std::map<std::string, int>& prompts);

}  // namespace app
