#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {
namespace {

// Ends of turns and texts by which vocabularies know them.
constexpr std::string_view turn_ends[] = {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>",
                                          "<|end|>", "<|return|>", "<|call|>", "<|user|>", "<|observation|>", "<|endofprompt|>",
                                          "<EOT>", "[EOT]", "[EOS]", "</s>", "<eos>", "<|eot|>", "<turn|>", "<|END_OF_TURN_TOKEN|>",
                                          "<|end▁of▁sentence|>", "<｜end▁of▁sentence｜>", "<end_of_utterance>", "<|role_end|>"};

// Only words and white space (`also` counts as such), no sign: text of this kind is no markup and
// carries no authority.
bool is_plain(std::string_view text, char32_t also = ' ') {
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char) return false;
        if (c != also && !(classes(c) & (Class::letter | Class::number | Class::mark | Class::space))) return false;
        at += std::size_t(length);
    }
    return !text.empty();
}

TokenType type_of(const Vocabulary& v, TokenId id) { return v.types.empty() ? TokenType::normal : v.types[std::size_t(id)]; }

// Texts of special tokens; the longest that begins at a place is found in its own length.
class SpecialTrie {
public:
    void add(std::string_view text, TokenId id) {
        int at = 0;
        for (char c : text) {
            auto [edge, fresh] = edges_.try_emplace(key(at, c), int(ids_.size()));
            if (fresh) ids_.push_back(-1);
            at = edge->second;
        }
        ids_[std::size_t(at)] = id;
        starts_[std::uint8_t(text.front())] = true;
    }
    TokenId longest(std::string_view text, std::size_t from, std::size_t& length) const {
        TokenId found = -1;
        if (!starts_[std::uint8_t(text[from])]) return found;
        int at = 0;
        for (std::size_t i = from; i < text.size(); ++i) {
            const auto edge = edges_.find(key(at, text[i]));
            if (edge == edges_.end()) break;
            at = edge->second;
            if (ids_[std::size_t(at)] >= 0) {
                found = ids_[std::size_t(at)];
                length = i + 1 - from;
            }
        }
        return found;
    }

private:
    static std::uint64_t key(int node, char c) { return std::uint64_t(node) << 8 | std::uint8_t(c); }
    std::unordered_map<std::uint64_t, int> edges_;
    std::vector<TokenId> ids_ = {-1};
    std::array<bool, 256> starts_{};
};

class VocabularyTokenizer final : public Tokenizer {
public:
    VocabularyTokenizer(Vocabulary vocabulary, std::unique_ptr<OrdinaryEncoder> ordinary)
        : vocabulary_(std::move(vocabulary)), ordinary_(std::move(ordinary)) {
        bytes_.reserve(vocabulary_.tokens.size());
        for (TokenId id = 0; id < size(); ++id) {
            const TokenType type = type_of(vocabulary_, id);
            const std::string& stored = vocabulary_.tokens[std::size_t(id)];
            const bool special = type == TokenType::control || type == TokenType::user_defined;
            const bool raw = type == TokenType::control || type == TokenType::unknown;
            bytes_.push_back(raw ? stored : ordinary_->bytes(stored, type));
            if (!special || bytes_.back().empty()) continue;
            special_.add(bytes_.back(), id);
            if (type == TokenType::user_defined && vocabulary_.kind == Vocabulary::Kind::bpe && is_plain(bytes_.back()))
                plain_.add(bytes_.back(), id);
        }
    }

    std::vector<TokenId> encode(std::string_view text, bool parse_special) const override {
        const Piece piece{std::string(text), parse_special};
        return encode(std::span<const Piece>(&piece, 1));
    }

    std::vector<TokenId> encode(std::span<const Piece> pieces) const override {
        std::vector<TokenId> out;
        std::string pending;  // ordinary text since the last special token
        bool after_special = true;
        const auto flush = [&] {
            ordinary_->encode(pending, after_special, out);
            pending.clear();
        };
        for (const Piece& piece : pieces) {
            const SpecialTrie& trie = piece.trusted ? special_ : plain_;
            for (std::size_t at = 0; at < piece.text.size();) {
                std::size_t length = 0;
                const TokenId id = trie.longest(piece.text, at, length);
                if (id < 0) {
                    pending += piece.text[at++];
                    continue;
                }
                flush();
                out.push_back(id);
                after_special = true;
                at += length;
            }
        }
        flush();
        return out;
    }

    std::string bytes(TokenId id, bool with_special) const override {
        if (id < 0 || id >= size() || (!with_special && is_control(id))) return {};
        return bytes_[std::size_t(id)];
    }

    const Vocabulary& vocabulary() const override { return vocabulary_; }

private:
    Vocabulary vocabulary_;
    std::unique_ptr<OrdinaryEncoder> ordinary_;
    std::vector<std::string> bytes_;  // [V]
    SpecialTrie special_, plain_;
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
    for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
        const bool known = std::find(std::begin(turn_ends), std::end(turn_ends), v.tokens[std::size_t(id)]) != std::end(turn_ends);
        if (known && type_of(v, id) == TokenType::control && id != v.eos) ends.push_back(id);
    }
}

}  // namespace

bool may_be_ordinary(const Vocabulary& v, TokenId id) {
    switch (type_of(v, id)) {
        case TokenType::control: case TokenType::unknown: return false;
        case TokenType::user_defined:
            if (v.kind != Vocabulary::Kind::spm) return false;
            return is_plain(v.tokens[std::size_t(id)], 0x2581);
        default: return true;
    }
}

base::Result<void> Tokenizer::check(const Vocabulary& vocabulary) {
    if (auto ok = check_ids(vocabulary); !ok) return ok;
    return vocabulary.kind == Vocabulary::Kind::bpe ? check_bpe(vocabulary) : check_spm(vocabulary);
}

base::Result<std::shared_ptr<const Tokenizer>> Tokenizer::create(Vocabulary vocabulary) {
    if (auto ok = check(vocabulary); !ok) return std::move(ok).error();
    fill_turn_ends(vocabulary);
    auto ordinary = vocabulary.kind == Vocabulary::Kind::bpe ? make_bpe(vocabulary) : make_spm(vocabulary);
    return std::shared_ptr<const Tokenizer>(
        std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(ordinary)));
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool with_special) const {
    std::string out;
    for (TokenId id : ids) out += bytes(id, with_special);
    return out;
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
