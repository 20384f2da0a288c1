// The versions of prompts that a request tries out in place of the live ones.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "server/routes.h"

namespace server::api {

// The body's `prompts`: {"recompose": 3}; empty where there is none. Error{invalid_argument} for another form.
base::Result<std::map<std::string, int>> read_prompts(const base::Json& body);

// The answer that refuses them to this caller, if any: a draft speaks for nobody but who may release it.
std::optional<Response> refused_prompts(const std::map<std::string, int>& prompts, const Caller& caller);

}  // namespace server::api
