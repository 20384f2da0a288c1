#include "engine/embedding_input.h"

#include <algorithm>

namespace engine {
namespace {

using base::Code;

std::vector<TokenId> tokens_of(const std::string& text, const text::Tokenizer& tokenizer, const EmbeddingLimits& limits) {
    const text::Vocabulary& v = tokenizer.vocabulary();
    const bool begins = v.add_bos && v.bos >= 0, ends = v.add_eos && v.eos >= 0;
    const std::size_t around = std::size_t(begins) + std::size_t(ends), context = std::size_t(limits.context);
    std::vector<TokenId> out = tokenizer.encode(text, false);
    if (limits.truncate && out.size() + around > context) out.resize(context - std::min(context, around));
    if (begins) out.insert(out.begin(), v.bos);
    if (ends) out.push_back(v.eos);
    return out;
}

}  // namespace

base::Result<std::vector<std::vector<TokenId>>> embedding_tokens(const std::vector<EmbeddingInput>& inputs, const text::Tokenizer& tokenizer, const EmbeddingLimits& limits) {
    std::vector<std::vector<TokenId>> out;
    for (const EmbeddingInput& input : inputs) {
        const std::string which = "input " + std::to_string(out.size());
        const auto* text = std::get_if<std::string>(&input);
        out.push_back(text ? tokens_of(*text, tokenizer, limits) : std::get<std::vector<TokenId>>(input));
        std::vector<TokenId>& tokens = out.back();
        if (tokens.empty()) return base::error(Code::invalid_argument, which + " has no tokens");
        for (const TokenId id : tokens)
            if (id < 0 || id >= limits.vocabulary)
                return base::error(Code::invalid_argument, which + " has token " + std::to_string(id) + ", expected 0 to " + std::to_string(limits.vocabulary - 1));
        if (limits.truncate && tokens.size() > std::size_t(limits.context)) tokens.resize(std::size_t(limits.context));
        if (tokens.size() > std::size_t(limits.context))
            return base::error(Code::context_length_exceeded, which + " has " + std::to_string(tokens.size()) + " tokens, the context holds " + std::to_string(limits.context),
                               "shorten the text, or cut it into several");
    }
    return out;
}

}  // namespace engine
