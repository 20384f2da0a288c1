// Prompts as rows: versions of a name, a label that says which is live. Seeds are version 1.
#pragma once

#include <string>

#include "store/db.h"

namespace store {

struct Prompt {
    std::string name;
    int version = 0;
    std::string body;
};
// The live version; Error{not_found} naming the prompt when the row is missing.
base::Result<Prompt> live_prompt(Tx& tx, const std::string& name);

}  // namespace store
