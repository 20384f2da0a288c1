// Versions of prompts as a command line names them.
#pragma once

#include <string>

#include "store/prompts.h"

namespace app {

// "recompose@3", "recompose@draft". Error{invalid_argument} for another form, {not_found} for a version that is not there.
base::Result<store::Prompt> prompt_named(store::Tx& tx, const std::string& text);

}  // namespace app
