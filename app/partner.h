// Whom a person at the command line talks to: an agent, or a model of the roster alone.
#pragma once

#include <string>

#include "base/result.h"

namespace app {

struct Partner {
    std::string name = "hearth/dev";
    bool agent = true;      // else the model alone: no tools, and it keeps no conversation
    bool in_folder = true;  // it works in the folder that it is given
};
// As the server knows it; empty: hearth/dev. Error{not_found} with where to look.
base::Result<Partner> partner_named(const std::string& socket, const std::string& name);
// The agents that the server lets the caller talk to: "hearth, hearth/dev"; empty where it does not say.
std::string agents_of(const std::string& socket);

}  // namespace app
