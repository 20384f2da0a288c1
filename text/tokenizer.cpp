#include "text/tokenizer.h"

#include <algorithm>
#include <array>

#include "text/normalizer.h"
#include "text/ordinary.h"
#include "text/trie.h"
#include "text/unicode.h"

namespace text {
namespace {

// Ends of turns and texts by which vocabularies know them.
constexpr std::string_view turn_ends[] = {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>",
                                          "<|end|>", "<|return|>", "<|call|>", "<|user|>", "<|observation|>", "<|endofprompt|>",
                                          "<|tool_response>", "<EOT>", "[EOT]", "[EOS]", "</s>", "<eos>", "<|eot|>", "<turn|>", "<|END_OF_TURN_TOKEN|>",
                                          "<|end▁of▁sentence|>", "<｜end▁of▁sentence｜>", "<end_of_utterance>", "<|role_end|>"};

// Only words and white space (U+2581 counts as such), no sign: text of this kind is no markup and carries
// no authority.
bool is_plain(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char) return false;
        if (c != 0x2581 && !(classes(c) & (Class::letter | Class::number | Class::mark | Class::space))) return false;
        at += std::size_t(length);
    }
    return !text.empty();
}

bool is_word_character(std::string_view text, std::size_t at) {
    int length = 1;
    const char32_t c = decode_utf8(text, at, length);
    return c == '_' || (c != no_char && classes(c) & (Class::letter | Class::number | Class::mark));
}

// Where the last character of the text begins.
std::size_t last_character(std::string_view text) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (std::uint8_t(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

// Texts of added tokens; the longest that begins at a place is found in its own length.
class AddedTokens {
public:
    void add(std::string_view text, const AddedToken& token) {
        if (text.empty()) return;
        trie_.add(text, TokenId(tokens_.size()));
        tokens_.push_back(token);
        starts_[std::uint8_t(text.front())] = true;
    }
    const AddedToken* longest(std::string_view text, std::size_t from, std::size_t& length) const {
        if (!starts_[std::uint8_t(text[from])]) return nullptr;
        const TokenId found = trie_.longest(text, from, length);
        if (found < 0) return nullptr;
        const AddedToken& token = tokens_[std::size_t(found)];
        if (token.single_word) {
            const bool before = from > 0 && is_word_character(text, last_character(text.substr(0, from)));
            if (before || (from + length < text.size() && is_word_character(text, from + length))) return nullptr;
        }
        return &token;
    }

private:
    Trie trie_;  // to places in tokens_
    std::vector<AddedToken> tokens_;
    std::array<bool, 256> starts_{};
};

class VocabularyTokenizer final : public Tokenizer {
public:
    VocabularyTokenizer(Vocabulary vocabulary, PreTokenizer pre_tokenizer, std::unique_ptr<OrdinaryEncoder> ordinary)
        : vocabulary_(std::move(vocabulary)), pre_tokenizer_(std::move(pre_tokenizer)), ordinary_(std::move(ordinary)) {
        bytes_.reserve(vocabulary_.tokens.size());
        for (TokenId id = 0; id < size(); ++id)
            bytes_.push_back(ordinary_->bytes(vocabulary_.tokens[std::size_t(id)], type_of(vocabulary_, id)));
        for (const AddedToken& token : vocabulary_.added) {
            const std::string& text = vocabulary_.tokens[std::size_t(token.id)];
            added_.add(text, token);
            if (!is_control(token.id) && is_plain(text)) plain_.add(text, token);
        }
    }

    std::vector<TokenId> encode(std::string_view text, bool parse_special) const override {
        const Piece piece{std::string(text), parse_special};
        return encode(std::span<const Piece>(&piece, 1));
    }

    std::vector<TokenId> encode(std::span<const Piece> pieces) const override {
        std::vector<TokenId> out;
        std::string pending;  // ordinary text since the last added token
        for (const Piece& piece : pieces) {
            const AddedTokens& added = piece.trusted ? added_ : plain_;
            const std::string_view text = piece.text;
            for (std::size_t at = 0; at < text.size();) {
                std::size_t length = 0;
                const AddedToken* token = added.longest(text, at, length);
                if (!token) {
                    pending += text[at++];
                    continue;
                }
                while (token->left && !pending.empty() && is_space_at(pending, last_character(pending))) pending.resize(last_character(pending));
                flush(pending, out);
                out.push_back(token->id);
                at += length;
                while (token->right && at < text.size() && is_space_at(text, at)) at += character_length(text, at);
            }
            if (piece.tokens.empty()) continue;
            flush(pending, out);
            out.insert(out.end(), piece.tokens.begin(), piece.tokens.end());
        }
        flush(pending, out);
        return out;
    }

    std::string bytes(TokenId id, bool with_special) const override {
        if (id < 0 || id >= size() || (!with_special && is_control(id))) return {};
        return bytes_[std::size_t(id)];
    }

    const Vocabulary& vocabulary() const override { return vocabulary_; }

private:
    static std::size_t character_length(std::string_view text, std::size_t at) {
        int length = 1;
        decode_utf8(text, at, length);
        return std::size_t(length);
    }
    static bool is_space_at(std::string_view text, std::size_t at) {
        int length = 1;
        return is_space(decode_utf8(text, at, length));
    }

    void flush(std::string& pending, std::vector<TokenId>& out) const {
        if (pending.empty()) return;
        if (!vocabulary_.normalizer->empty()) pending = normalize(*vocabulary_.normalizer, pending, out.empty());
        ordinary_->encode(pending, pre_tokenizer_.split(pending), out);
        pending.clear();
    }

    Vocabulary vocabulary_;
    PreTokenizer pre_tokenizer_;
    std::unique_ptr<OrdinaryEncoder> ordinary_;
    std::vector<std::string> bytes_;  // [V]
    AddedTokens added_, plain_;
};

base::Result<void> check_ids(const Vocabulary& v) {
    using base::Code;
    const std::size_t n = v.tokens.size();
    if (!n) return base::error(Code::corrupt, "the vocabulary has no tokens");
    if (!v.types.empty() && v.types.size() != n)
        return base::error(Code::corrupt, "vocabulary has " + std::to_string(n) + " tokens and " + std::to_string(v.types.size()) +
                                              " token types; expected as many");
    const std::pair<const char*, TokenId> named[] = {{"bos", v.bos}, {"eos", v.eos}, {"unknown", v.unknown}, {"padding", v.padding}};
    for (auto [what, id] : named)
        if (id < -1 || id >= TokenId(n))
            return base::error(Code::corrupt, std::string(what) + " token id is " + std::to_string(id) + ", expected -1 to " +
                                                  std::to_string(n - 1));
    for (const AddedToken& token : v.added)
        if (token.id < 0 || token.id >= TokenId(n))
            return base::error(Code::corrupt, "an added token's id is " + std::to_string(token.id) + ", expected 0 to " + std::to_string(n - 1));
    for (TokenId id : v.end_of_generation)
        if (id < 0 || id >= TokenId(n))
            return base::error(Code::corrupt, "end-of-generation token id is " + std::to_string(id) + ", expected 0 to " +
                                                  std::to_string(n - 1));
    return {};
}

void fill_turn_ends(Vocabulary& v) {
    auto& ends = v.end_of_generation;
    if (!ends.empty()) return;
    if (v.eos >= 0) ends.push_back(v.eos);
    // In harmony <|end|> ends a message, behind which the turn goes on with the next.
    const bool harmony = std::find(v.tokens.begin(), v.tokens.end(), "<|call|>") != v.tokens.end();
    for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
        if (harmony && v.tokens[std::size_t(id)] == "<|end|>") continue;
        const bool known = std::find(std::begin(turn_ends), std::end(turn_ends), v.tokens[std::size_t(id)]) != std::end(turn_ends);
        if (known && type_of(v, id) == TokenType::control && id != v.eos) ends.push_back(id);
    }
}

base::Result<std::vector<SplitterStep>> splitter_of(const Vocabulary& v) {
    if (v.splitter) return *v.splitter;
    using Behavior = SplitterStep::Behavior;
    switch (v.kind) {
        case Vocabulary::Kind::bpe: {
            auto named = named_pre_tokenizer(v.pre);
            if (!named) return std::move(named).error();
            return std::move(named->splitter);
        }
        case Vocabulary::Kind::word_piece:
            return std::vector<SplitterStep>{{.pattern = patterns::spaces, .behavior = Behavior::removed}, {.pattern = patterns::punctuation}};
        default: return std::vector<SplitterStep>{};
    }
}

std::vector<NormalizerStep> normalizer_of(const Vocabulary& v) {
    using Kind = NormalizerStep::Kind;
    switch (v.kind) {
        case Vocabulary::Kind::bpe: return named_pre_tokenizer(v.pre).value().normalizer;
        case Vocabulary::Kind::word_piece: return BertNormalizer().steps();
        default: break;
    }
    std::vector<NormalizerStep> out;
    if (v.add_space_prefix) out.push_back({.kind = Kind::prepend, .to = std::string(space_mark)});
    out.push_back({.kind = Kind::replace, .from = " ", .to = std::string(space_mark)});
    return out;
}

// What the files left to be understood; the vocabulary has passed check.
void fill_steps(Vocabulary& v) {
    if (!v.whole_words) v.whole_words = v.kind == Vocabulary::Kind::bpe && !v.splitter && named_pre_tokenizer(v.pre).value().whole_words;
    if (!v.normalizer) v.normalizer = v.splitter && v.kind == Vocabulary::Kind::bpe ? std::vector<NormalizerStep>() : normalizer_of(v);
    if (!v.splitter) v.splitter = splitter_of(v).value();
}

void fill_added(Vocabulary& v) {
    if (!v.added.empty()) return;
    for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id)
        if (const TokenType type = type_of(v, id); type == TokenType::control || type == TokenType::user_defined) v.added.push_back({.id = id});
}

std::unique_ptr<OrdinaryEncoder> make_ordinary(const Vocabulary& v) {
    switch (v.kind) {
        case Vocabulary::Kind::bpe: return make_bpe(v);
        case Vocabulary::Kind::character_bpe: case Vocabulary::Kind::spm: return make_character_bpe(v);
        case Vocabulary::Kind::unigram: return make_unigram(v);
        case Vocabulary::Kind::word_piece: break;
    }
    return make_word_piece(v);
}

}  // namespace

bool may_be_ordinary(const Vocabulary& v, TokenId id) {
    const bool spelled_in_bytes = v.kind == Vocabulary::Kind::bpe;
    switch (type_of(v, id)) {
        case TokenType::control: case TokenType::unknown: return false;
        case TokenType::user_defined: return !spelled_in_bytes && is_plain(v.tokens[std::size_t(id)]);
        case TokenType::byte: return spelled_in_bytes;
        default: return true;
    }
}

base::Result<void> Tokenizer::check(const Vocabulary& vocabulary) {
    if (auto ok = check_ids(vocabulary); !ok) return ok;
    auto steps = splitter_of(vocabulary);
    if (!steps) return std::move(steps).error();
    if (auto known = PreTokenizer::create(*steps); !known) return std::move(known).error();
    switch (vocabulary.kind) {
        case Vocabulary::Kind::bpe: case Vocabulary::Kind::character_bpe: return vocabulary.merges.empty() && !vocabulary.scores.empty() ? check_scores(vocabulary) : check_merges(vocabulary);
        case Vocabulary::Kind::spm: case Vocabulary::Kind::unigram: return check_scores(vocabulary);
        case Vocabulary::Kind::word_piece: break;
    }
    if (vocabulary.continuation.empty() && vocabulary.word_start.empty())
        return base::error(base::Code::corrupt, "the WordPiece vocabulary marks neither tokens that begin words nor tokens that continue them");
    return {};
}

base::Result<std::shared_ptr<const Tokenizer>> Tokenizer::create(Vocabulary vocabulary) {
    if (auto ok = check(vocabulary); !ok) return std::move(ok).error();
    fill_steps(vocabulary);
    fill_turn_ends(vocabulary);
    fill_added(vocabulary);
    auto pre_tokenizer = PreTokenizer::create(*vocabulary.splitter);
    auto ordinary = make_ordinary(vocabulary);  // of views of tokens, which are moved on as a whole
    vocabulary.merges = {};  // the encoder has a table of them, and nobody else reads them
    return std::shared_ptr<const Tokenizer>(
        std::make_shared<VocabularyTokenizer>(std::move(vocabulary), *std::move(pre_tokenizer), std::move(ordinary)));
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool with_special) const {
    std::string out;
    for (TokenId id : ids) out += bytes(id, with_special);
    std::size_t spaces = 0;
    while (spaces < std::size_t(vocabulary().leading_spaces) && spaces < out.size() && out[spaces] == ' ') ++spaces;
    return out.substr(spaces);
}

bool Tokenizer::is_control(TokenId id) const {
    if (id < 0 || id >= size()) return false;
    const TokenType type = type_of(vocabulary(), id);
    return type == TokenType::control || type == TokenType::unknown;
}

bool Tokenizer::ends_generation(TokenId id) const {
    const auto& ends = vocabulary().end_of_generation;
    return std::find(ends.begin(), ends.end(), id) != ends.end();
}

}  // namespace text
