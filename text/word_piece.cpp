// WordPiece (BERT): the longest token that a word begins with, then the longest that goes on from there.
#include "text/ordinary.h"
#include "text/trie.h"
#include "text/unicode.h"

namespace text {
namespace {

// What BERT's decoder writes for a token with the space before it.
std::string without_spurious_space(std::string text) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},     {" ?", "?"},     {" !", "!"},           {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
        {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},   {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : rules)
        for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
}

class WordPiece final : public OrdinaryEncoder {
public:
    explicit WordPiece(const Vocabulary& v)
        : continuation_(v.continuation), word_start_(v.word_start), unknown_(v.unknown), longest_word_(std::size_t(v.longest_word)) {
        for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
            if (!may_be_ordinary(v, id)) continue;
            const std::string_view token = v.tokens[std::size_t(id)];
            if (continues(token)) continuing_.add(token.substr(continuation_.size()), id);
            if (token.starts_with(word_start_)) starting_.add(token.substr(word_start_.size()), id);
        }
    }

    void encode(std::string_view text, std::span<const Word> words, std::vector<TokenId>& out) const override {
        for (const Word& w : words) encode_word(text.substr(w.begin, w.end - w.begin), out);
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        const bool ordinary = type != TokenType::control && type != TokenType::unknown;
        if (ordinary && continues(stored)) return without_spurious_space(std::string(stored.substr(continuation_.size())));
        return without_spurious_space(" " + std::string(stored.substr(ordinary ? word_start_.size() : 0)));
    }

private:
    bool continues(std::string_view token) const {
        return continuation_.empty() ? !token.starts_with(word_start_) : token.starts_with(continuation_);
    }

    void encode_word(std::string_view word, std::vector<TokenId>& out) const {
        const std::size_t before = out.size();
        if (!characters_exceed(word)) {
            std::size_t at = 0;
            for (TokenId id = 0; at < word.size() && id >= 0;) {
                std::size_t length = 0;
                id = (at ? continuing_ : starting_).longest(word, at, length);
                if (id >= 0) out.push_back(id);
                at += length;
            }
            if (at == word.size()) return;
        }
        out.resize(before);
        if (unknown_ >= 0) out.push_back(unknown_);
    }
    bool characters_exceed(std::string_view word) const {
        std::size_t n = 0;
        for (char c : word) n += (std::uint8_t(c) & 0xC0) != 0x80;
        return n > longest_word_;
    }

    std::string continuation_, word_start_;
    Trie starting_, continuing_;
    TokenId unknown_;
    std::size_t longest_word_;
};

}  // namespace

std::unique_ptr<OrdinaryEncoder> make_word_piece(const Vocabulary& vocabulary) { return std::make_unique<WordPiece>(vocabulary); }

}  // namespace text
