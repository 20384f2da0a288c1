// Between messages and the text that a model reads and writes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "router/types.h"
#include "text/chat_template.h"
#include "text/grammar_cache.h"
#include "text/output_parser.h"

namespace router {

text::RenderInput render_input(const ModelRequest& request, const std::string& bos, const std::string& eos);
text::ParserOptions parser_options(const ModelRequest& request, const std::string& dialect, const std::vector<text::Piece>& prompt);

// What binds the output; a null grammar leaves it free. A response schema wins over tools. With tools,
// calls are bound: from the start when one is required or named, else from the dialect's trigger on.
base::Result<text::BoundGrammar> output_bound(const ModelRequest& request, const std::string& dialect, text::GrammarCache& grammars);

}  // namespace router
