// Of a model with several chat templates, one.
#pragma once

#include <string>

namespace text {

// `with_tools` where a request has tools, else `plain`: as transformers chooses between those it calls "tool_use" and "default".
std::string either_template(std::string plain, std::string with_tools);
// Refuses every request with these words.
std::string refusing_template(const std::string& why);

}  // namespace text
