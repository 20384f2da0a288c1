// Documents written by chance under a grammar, over a small vocabulary.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar.h"

namespace text {

// Bytes one by one, and tokens that span what grammars part: quotes with words, ends of strings with what
// follows, long words, halves of characters.
inline std::shared_ptr<const Tokenizer> words() {
    Vocabulary v;
    v.pre = "qwen2";
    v.tokens = {"<|end|>", "<tool>"};
    v.types = {TokenType::control, TokenType::control};
    for (char c = 33; c < 127; ++c) v.tokens.push_back(std::string(1, c));
    for (const char* t : {"Ġ", "Ċ", "ĉ", "Ã", "©", "â", "Ģ", "¨", "ðŁ", "ĺ", "Ģ", "ï", "½", "ľ", "ĸ", "ģ"}) v.tokens.push_back(t);
    for (const char* t : {"{\"", "\":", "\"}", "\",", ",Ġ\"", "\":Ġ", "Ġ\"", "\"]", "[\"", "},Ġ{\"", "true", "false", "null", "tru", "name", "nam", "aname", "ab",
                          "aba", "Ġword", "Word", "12", "123", "0.", "-1", "e5", "\\u", "\\\"", "\\n", "00e9", "redd", "red", "green", "Ã©", "cafÃ©", "ĠÃ©tÃ©",
                          "internationalizationinternationalization", "ĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠ", "id", "kind", "value", "a<b", "</"})
        v.tokens.push_back(t);
    std::sort(v.tokens.begin() + 2, v.tokens.end());
    v.tokens.erase(std::unique(v.tokens.begin() + 2, v.tokens.end()), v.tokens.end());
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.tokens.push_back("gap");
    v.types.push_back(TokenType::unused);
    v.eos = 0;
    return Tokenizer::create(std::move(v)).value();
}

// Words of several scripts, long ones too, so many that whole subtrees of them are taken or refused at once.
inline std::shared_ptr<const Tokenizer> many_words() {
    const std::vector<std::string> alphabets[] = {
        {"a", "b", "c", "e", "t", "h"}, {"a", "A", "B", "q"}, {"a", "1", "2", "_"}, {"a", "b", "Ġ"}, {",", ".", "7"}, {"Ã©", "a", "Ð´", "Ñı"}, {"ä¸Ń", "åħ¬", "æĸĩ", "ä¸ļ"}, {"âĢ¨", "âĢĶ", "x"}, {"\"", ",", "Ġ", "a"}};
    Vocabulary v;
    v.pre = "qwen2";
    std::mt19937 random(1);
    for (int byte = 33; byte < 127; ++byte) v.tokens.push_back(std::string(1, char(byte)));
    v.tokens.push_back("Ġ");
    for (const auto& letters : alphabets)
        for (int i = 0; i < 500; ++i) {
            std::string word;
            for (auto n = 1 + random() % (i % 10 ? 6 : 40); n > 0; --n) word += letters[random() % letters.size()];
            v.tokens.push_back(word);
        }
    std::sort(v.tokens.begin(), v.tokens.end());
    v.tokens.erase(std::unique(v.tokens.begin(), v.tokens.end()), v.tokens.end());
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.tokens.push_back("<|end|>");
    v.types.push_back(TokenType::control);
    v.eos = TokenId(v.tokens.size()) - 1;
    return Tokenizer::create(std::move(v)).value();
}

// The characters that bring a text nearer to its end, the best first: what closes JSON, or the next of `ending`.
inline std::vector<std::string_view> closing(std::string_view text, std::string_view ending) {
    if (ending.empty()) return {"\"", "x", "a", "1", "}", "]", "null"};
    std::size_t n = std::min(ending.size() - 1, text.size());
    while (!text.ends_with(ending.substr(0, n))) --n;
    return {ending.substr(n, 1)};
}

// None: the walk found no end in so many steps. After some it hurries.
inline std::optional<std::string> walk(const std::shared_ptr<const Grammar>& grammar, const std::shared_ptr<const TokenTable>& table, const Tokenizer& tokenizer, unsigned seed,
                                       const std::string& ending = {}, int most_steps = 1500) {
    constexpr int hurry_after = 25;
    std::mt19937 random(seed);
    const auto state = GrammarState::create(grammar, table);
    std::vector<std::string> bytes;
    for (TokenId id = 0; id < tokenizer.size(); ++id) bytes.push_back(tokenizer.bytes(id, true));
    std::vector<std::uint64_t> bits((std::size_t(tokenizer.size()) + 63) / 64);
    std::string text;
    for (int step = 0; step < most_steps; ++step) {
        state->mask(bits);
        std::vector<TokenId> allowed;
        for (TokenId id = 0; id < tokenizer.size(); ++id)
            if ((bits[std::size_t(id) / 64] >> (id % 64) & 1) && !tokenizer.ends_generation(id)) allowed.push_back(id);
        const bool hurry = step > hurry_after;
        if (state->may_end() && (hurry || allowed.empty() || random() % 4 == 0)) return text;
        if (allowed.empty()) return std::nullopt;
        TokenId chosen = allowed[random() % allowed.size()];
        if (hurry && random() % 8 != 0)
            for (const std::string_view wanted : closing(text, ending))
                if (const auto it = std::find_if(allowed.begin(), allowed.end(), [&](TokenId id) { return bytes[std::size_t(id)] == wanted; }); it != allowed.end()) {
                    chosen = *it;
                    break;
                }
        if (!state->accept(chosen)) return std::nullopt;
        text += bytes[std::size_t(chosen)];
    }
    return std::nullopt;
}

}  // namespace text
