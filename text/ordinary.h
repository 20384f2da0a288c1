// How a vocabulary encodes text that holds no special token; the algorithms behind Tokenizer.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace text {

class OrdinaryEncoder {
public:
    virtual ~OrdinaryEncoder() = default;
    // Appends the tokens of the words of `text`, which is normalized.
    virtual void encode(std::string_view text, std::span<const Word> words, std::vector<TokenId>& out) const = 0;
    // The bytes that a token stands for, from its text as stored.
    virtual std::string bytes(std::string_view stored, TokenType type) const = 0;
};

inline TokenType type_of(const Vocabulary& v, TokenId id) { return v.types.empty() ? TokenType::normal : v.types[std::size_t(id)]; }

// Whether ordinary text may come to this token by its letters: never to a control token or one with a
// meaning of its own.
bool may_be_ordinary(const Vocabulary& vocabulary, TokenId id);

// GPT-2's stand-ins for bytes: those that print are themselves, the others U+0100 onwards, in order.
std::array<char32_t, 256> byte_alphabet();

// U+2581, which stands for a space in vocabularies whose tokens are spelled in characters.
constexpr std::string_view space_mark = "\xE2\x96\x81";
std::string with_spaces(std::string_view stored);  // each mark a space

// The tokens "<0x00>" to "<0xFF>".
class ByteTokens {
public:
    explicit ByteTokens(const Vocabulary& vocabulary);
    static bool parse(std::string_view token, int& byte);
    // Appends the tokens of the bytes, or nothing when one of them has none.
    bool spell(std::string_view bytes, std::vector<TokenId>& out) const;

private:
    std::array<TokenId, 256> ids_;
};

// What each kind needs of its vocabulary; the makers refuse nothing else.
base::Result<void> check_merges(const Vocabulary& vocabulary);
base::Result<void> check_scores(const Vocabulary& vocabulary);
std::unique_ptr<OrdinaryEncoder> make_bpe(const Vocabulary& vocabulary);
std::unique_ptr<OrdinaryEncoder> make_character_bpe(const Vocabulary& vocabulary);  // and spm
std::unique_ptr<OrdinaryEncoder> make_unigram(const Vocabulary& vocabulary);
std::unique_ptr<OrdinaryEncoder> make_word_piece(const Vocabulary& vocabulary);

}  // namespace text
