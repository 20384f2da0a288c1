// A run is heard from the running server to its end, over the server's restarts.
#pragma once

#include <string>

#include "app/chat_turn.h"
#include "base/result.h"

namespace app {

enum class Followed {
    ended,    // it told its end
    waits,    // for a person's word that the turn has not heard of before
    left,     // by an interruption (app/client.h)
    refused,  // the server tells nothing of it
};
// What the run of the turn tells after the turn's last event of it; shown unless `quiet`. While no server answers it is waited for.
Followed follow(const std::string& socket, Turn& turn, bool quiet = false);

// As app/client.h has it; while no server answers, or its model loads, it is waited for.
base::Result<base::Json> ask_patiently(const std::string& socket, const std::string& method, const std::string& path, const base::Json& body = nullptr);

// A run of GET /v1/runs/{id}, as the last event of a question's own stream would have told it.
base::Json result_of(const base::Json& run);

}  // namespace app
