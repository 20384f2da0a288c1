// tiktoken.model: a token a line, in base64, and its rank, which is its id. The expression that cuts text into words stands in
// Python beside it: which one it is, the tokenizer's class says.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace text {

// `tokenizer_class`: of tokenizer_config.json. `file` is the name that errors carry.
base::Result<Vocabulary> read_tiktoken(std::string_view content, const std::string& tokenizer_class, const std::string& file);

}  // namespace text
