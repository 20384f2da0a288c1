// Text to token ids and back. A Vocabulary says as data what its model's files say: how text is
// normalized and cut into words, which algorithm makes tokens of a word, and what the tokens are.
// engine/model/vocabulary reads it from GGUF metadata, tokenizer_json from Hugging Face's files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace text {

using TokenId = std::int32_t;

enum class TokenType : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

class Charsmap;

struct NormalizerStep {
    enum class Kind {
        nfc, nfd, nfkc, nfkd, lowercase,
        strip_marks,         // characters of category M
        strip_nonspacing,    // of category Mn
        clean,               // BERT: no control characters, one kind of space
        space_ideographs,    // BERT: spaces around CJK ideographs
        replace,             // from → to
        prepend,             // to, before text that is not empty
        squeeze,             // several `from` in a row → to
        mark_words,          // what lies between white space: each behind one `to`, the white space left out
        charsmap,            // SentencePiece's table of replacements
        trim_left, trim_right  // white space, or `from` where it is given
    };
    Kind kind = Kind::nfc;
    std::string from = {}, to = {};
    bool unless_there = false;  // prepend: not before text that begins with it
    bool first_only = false;    // prepend: only where the whole input begins, not after a special token
    std::shared_ptr<const Charsmap> charsmap = {};
    bool by_cluster = false;    // charsmap: as Hugging Face's tokenizers apply it
};

struct SplitterStep {
    // What becomes of a match; text between matches is a word of its own. The names are those of tokenizer.json.
    enum class Behavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };
    std::string pattern = {};  // one of the regular expressions of split_patterns, or the text itself when `literal`
    bool literal = false;
    Behavior behavior = Behavior::isolated;
    bool invert = false;  // what lies between matches is taken for the matches
};

// How a token that is looked for in text before anything else takes it.
struct AddedToken {
    TokenId id = -1;
    bool left = false, right = false;  // it takes the white space on that side
    bool single_word = false;          // only where no word character touches it
};

// As the files have it; Tokenizer::check says whether it is whole.
struct Vocabulary {
    enum class Kind {
        bpe,            // byte-level: tokens are spelled in GPT-2's byte alphabet; merges by rank
        character_bpe,  // of characters; merges by rank
        spm,            // of characters; the pair whose joint token scores best is merged first
        unigram,        // the tokens whose scores add up to most
        word_piece      // the longest token that a word begins with, and on from there
    };
    Kind kind = Kind::bpe;
    std::vector<std::string> tokens;       // [V] as stored; U+2581 stands for a space (character_bpe, spm, unigram)
    std::vector<float> scores;             // [V], spm and unigram; bpe without merges: any pair whose joint token is one is merged, the best first
    std::vector<TokenType> types;          // [V]; empty: all normal
    std::vector<std::string> merges;       // bpe and character_bpe: "left right", best first
    TokenId bos = -1, eos = -1, unknown = -1, padding = -1;
    std::vector<TokenId> end_of_generation;  // eos and its siblings (end of turn); filled by create when empty
    bool add_bos = false, add_eos = false;

    std::string pre;                       // name in GGUF of what follows (bpe): "qwen2", "llama-bpe", "gpt-2", …
    // Absent: what `pre` (bpe) or the kind means; create fills them in. A normalizer that is present and
    // empty gives llama.cpp's ids for the qwen family, whose NFC it leaves out.
    std::optional<std::vector<NormalizerStep>> normalizer;
    std::optional<std::vector<SplitterStep>> splitter;
    std::optional<bool> whole_words;       // a word that is a token is taken as it is, without merging
    bool add_space_prefix = true;          // spm and unigram without a normalizer: text begins with U+2581
    bool fuse_unknown = false;             // neighbouring characters without a token make one unknown token

    std::string continuation, word_start;  // word_piece: marks of a token that continues or begins a word
    int longest_word = 100;                // word_piece: characters; a longer word is unknown
    std::vector<AddedToken> added;         // empty: all control and user-defined tokens; filled by create
    int leading_spaces = 0;                // that encoding put before a text and decode takes away
};

// A piece of a prompt. Only trusted pieces (the template's own text) may become control tokens;
// in untrusted text (messages, tool output, documents) "<|im_end|>" is ordinary characters.
struct Piece {
    std::string text;
    bool trusted = false;
    std::vector<TokenId> tokens = {};  // behind `text`, taken as they are: a model's own, from when it wrote them
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
    // Concatenation of bytes(), less the vocabulary's leading_spaces. A reply in the midst of a text is
    // put together from bytes(), where its first word keeps its space.
    std::string decode(std::span<const TokenId> ids, bool with_special = false) const;

    virtual const Vocabulary& vocabulary() const = 0;
    int size() const { return int(vocabulary().tokens.size()); }
    bool is_control(TokenId id) const;  // control or unknown
    bool ends_generation(TokenId id) const;
};

}  // namespace text
