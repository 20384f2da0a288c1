// Vocabularies for templates whose model is not at hand.
#pragma once

#include <algorithm>
#include <cctype>
#include <memory>
#include <set>
#include <string>

#include "support/fixtures.h"
#include "support/vocabularies.h"
#include "text/tokenizer.h"

namespace text {

// Markup in a template's source that may be control tokens: <…> and [CAPITALS].
inline std::set<std::string> markup(const std::string& source) {
    std::set<std::string> out;
    for (std::size_t at = 0; at < source.size(); ++at) {
        if (source[at] != '<' && source[at] != '[') continue;
        const char close = source[at] == '<' ? '>' : ']';
        const std::size_t end = source.find(close, at + 1);
        if (end == source.npos || end - at > 40 || end - at < 2) continue;
        const std::string text = source.substr(at, end - at + 1);
        const auto fits = [&](char c) {
            return close == '>' ? !std::isspace(std::uint8_t(c)) && c != '\'' && c != '"' && c != '\\' : std::isupper(std::uint8_t(c)) || c == '_' || c == '/';
        };
        if (std::all_of(text.begin() + 1, text.end() - 1, fits)) out.insert(text);
    }
    return out;
}

// Of single bytes beside the control tokens, so that any text is many tokens.
inline std::shared_ptr<const Tokenizer> bytes_and(const std::set<std::string>& controls, std::string eos = {}) {
    auto v = support::read_gguf_vocabulary(support::data_dir() / "models/llama_tied.gguf");
    v.added.clear();
    v.types.resize(v.tokens.size(), TokenType::normal);
    for (const std::string& text : controls) {
        v.tokens.push_back(text);
        v.types.push_back(TokenType::control);
        if (text == eos) v.eos = TokenId(v.tokens.size()) - 1;
    }
    return Tokenizer::create(std::move(v)).value();
}

}  // namespace text
