// Versions of prompts as a command line names them.
#pragma once

#include <string>
#include <vector>

#include "store/prompts.h"

namespace app {

// "3", a label, or nothing for what is live.
base::Result<store::PromptVersion> choose_version(const std::vector<store::PromptVersion>& versions, const std::string& wanted);

// "recompose@3", "recompose@draft". Error{invalid_argument} for another form, {not_found} for a version that is not there.
base::Result<store::Prompt> prompt_named(store::Tx& tx, const std::string& text);

}  // namespace app
