// Fills a prompt's placeholders. `{{name}}` is replaced by the variable of that name; nothing else
// is interpreted, and what is put in is not looked at again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace prompts {

using Variables = std::map<std::string, std::string, std::less<>>;

// Error{invalid_argument} naming the placeholder that has no variable, or an unclosed "{{".
base::Result<std::string> render(std::string_view body, const Variables& variables);

// The names between {{ and }}, each once; what is unclosed is left out.
std::set<std::string> placeholders(std::string_view body);

// Worked examples out of Markdown. A second-level heading opens a turn: "## user", "## assistant",
// "## call NAME" (the text below is the JSON of its arguments), "## tool" (its result). Calls that
// follow each other are one reply; their results come in the same order. Text before
// the first heading is for readers. Gives OpenAI messages with call ids "example_1", …
base::Result<base::Json> examples(std::string_view body);

}  // namespace prompts
