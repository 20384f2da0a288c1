// Text to token ids and back, from what a model file says. Two algorithms: byte-level BPE with a
// named pre-tokenizer, and SentencePiece (score-driven merges with byte fallback).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace text {

using TokenId = std::int32_t;

enum class TokenType : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// As the file has it; Tokenizer::check says whether it is whole.
struct Vocabulary {
    enum class Kind { bpe, spm };
    Kind kind = Kind::bpe;
    std::string pre;                       // pre-tokenizer name (bpe): "qwen2", "llama-bpe", "gpt-2", …
    std::vector<std::string> tokens;       // [V] as stored: byte-level alphabet (bpe), U+2581 for space (spm)
    std::vector<float> scores;             // [V], spm only
    std::vector<TokenType> types;          // [V]; empty: all normal
    std::vector<std::string> merges;       // bpe, "left right", best first
    TokenId bos = -1, eos = -1, unknown = -1, padding = -1;
    std::vector<TokenId> end_of_generation;  // eos and its siblings (end of turn); filled by create when empty
    bool add_bos = false, add_eos = false;
    bool add_space_prefix = true;          // spm
};

// A piece of a prompt. Only trusted pieces (the template's own text) may become control tokens;
// in untrusted text (messages, tool output, documents) "<|im_end|>" is ordinary characters.
struct Piece {
    std::string text;
    bool trusted = false;
};

// Immutable and shareable between CPU threads.
class Tokenizer {
public:
    // Whether create() would take it, at the cost of a look at each entry.
    static base::Result<void> check(const Vocabulary& vocabulary);
    static base::Result<std::shared_ptr<const Tokenizer>> create(Vocabulary vocabulary);
    virtual ~Tokenizer() = default;

    // No bos/eos added. With parse_special, the texts of control and user-defined tokens become those
    // tokens; without, only those of user-defined tokens made of words or white space do: they carry no authority.
    virtual std::vector<TokenId> encode(std::string_view text, bool parse_special) const = 0;
    // Pieces in order. Control tokens are looked for inside trusted pieces only, so none spans a
    // border; ordinary text runs across borders as one, so that a prompt has the ids that its model
    // was trained on.
    virtual std::vector<TokenId> encode(std::span<const Piece> pieces) const = 0;

    // The bytes that the token stands for: may be part of a UTF-8 sequence. Control tokens give
    // their text only when with_special.
    virtual std::string bytes(TokenId id, bool with_special = false) const = 0;
    // Concatenation of bytes(): with spm a text comes back with the space that its encoding put before it.
    std::string decode(std::span<const TokenId> ids, bool with_special = false) const;

    virtual const Vocabulary& vocabulary() const = 0;
    int size() const { return int(vocabulary().tokens.size()); }
    bool is_control(TokenId id) const;  // control or unknown
    bool ends_generation(TokenId id) const;
};

}  // namespace text
