// Prompts as rows: versions of a name, a label that says which is live. Seeds are version 1.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Prompt {
    std::string name;
    int version = 0;
    std::string body;
};
// The live version of each; Error{not_found} naming a prompt whose row is missing.
base::Result<std::map<std::string, Prompt>> live_prompts(Tx& tx, const std::vector<std::string>& names);

}  // namespace store
