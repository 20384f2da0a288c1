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

// What binds the output; a null grammar leaves it free. A response format binds the answer, tools bind
// the calls; with both it is one or the other, from the start on. A required or named call is the only
// thing that may come; else calls are bound from the dialect's trigger on. `reasoning_open`: see
// text::ParserOptions. `may_think`: thoughts may come first.
base::Result<text::BoundGrammar> output_bound(const ModelRequest& request, const std::string& dialect, text::GrammarCache& grammars,
                                              bool reasoning_open = false, bool may_think = false);

// The end of a begun answer that a model had better write itself: its last word, with the blanks before it, as the word may go on
// and its tokens are another's. Empty: there is none, or it is long.
std::string last_word(const std::string& begun);
// Output that begins with `text` and is free behind it.
base::Result<text::BoundGrammar> output_beginning_with(const std::string& text, text::GrammarCache& grammars);

}  // namespace router
