// Byte-pair encoding whose first symbols are characters, merged by rank or, in SentencePiece's manner, by
// the score of the joint token. Characters without a token fall back to byte tokens.
#include <array>

#include "text/merges.h"
#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {
namespace {

class CharacterBpe final : public OrdinaryEncoder {
public:
    explicit CharacterBpe(const Vocabulary& v)
        : symbols_(v),
          merges_(v.kind == Vocabulary::Kind::spm ? scored_merges(v, symbols_) : ranked_merges(v, symbols_)),
          bytes_(v),
          unknown_(v.unknown),
          fuse_unknown_(v.fuse_unknown),
          whole_words_(v.whole_words.value_or(false)) {
        for (char c = 0; c >= 0 && c < 127; ++c) ascii_[std::size_t(c)] = symbols_.find(std::string_view(&c, 1));
        ascii_[127] = symbols_.find("\x7F");
    }

    void encode(std::string_view text, std::span<const Word> words, std::vector<TokenId>& out) const override {
        Merges::Work work;
        WordCache cache(words.size());
        for (const Word& w : words) {
            const std::string_view word = text.substr(w.begin, w.end - w.begin);
            cache.encode(word, out, [&] { encode_word(word, work, out); });
        }
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        int byte = 0;
        if (type == TokenType::byte && ByteTokens::parse(stored, byte)) return std::string(1, char(byte));
        return type == TokenType::control || type == TokenType::unknown ? std::string(stored) : with_spaces(stored);
    }

private:
    void encode_word(std::string_view word, Merges::Work& work, std::vector<TokenId>& out) const {
        if (whole_words_)
            if (const TokenId id = symbols_.find(word); id >= 0) return emit(id, out);
        work.word.clear();
        for (std::size_t at = 0; at < word.size();) {
            int length = 1;
            decode_utf8(word, at, length);
            const auto c = std::uint8_t(word[at]);
            const TokenId id = c < 128 ? ascii_[c] : symbols_.find(word.substr(at, std::size_t(length)));
            if (id >= 0)
                work.word.push_back(id);
            else
                spell(word.substr(at, std::size_t(length)), work.word);
            at += std::size_t(length);
        }
        merges_.apply(work);
        for (const TokenId id : work.word) emit(id, out);
    }

    // A character without a token.
    void spell(std::string_view character, std::vector<TokenId>& out) const {
        if (bytes_.spell(character, out) || unknown_ < 0) return;
        if (!fuse_unknown_ || out.empty() || out.back() != unknown_) out.push_back(unknown_);
    }

    void emit(TokenId id, std::vector<TokenId>& out) const {
        if (symbols_.in_vocabulary(id)) return out.push_back(id);
        const std::string_view text = symbols_.added_text(id);
        for (std::size_t at = 0; at < text.size();) {
            int length = 1;
            decode_utf8(text, at, length);
            const std::string_view character = text.substr(at, std::size_t(length));
            const TokenId known = symbols_.find(character);
            if (known >= 0 && symbols_.in_vocabulary(known))
                out.push_back(known);
            else
                spell(character, out);
            at += std::size_t(length);
        }
    }

    Symbols symbols_;
    Merges merges_;
    ByteTokens bytes_;
    std::array<TokenId, 128> ascii_{};
    TokenId unknown_;
    bool fuse_unknown_, whole_words_;
};

}  // namespace

std::unique_ptr<OrdinaryEncoder> make_character_bpe(const Vocabulary& vocabulary) { return std::make_unique<CharacterBpe>(vocabulary); }

}  // namespace text
