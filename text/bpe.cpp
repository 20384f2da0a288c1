// Byte-level BPE (GPT-2): each byte has a printable stand-in, and the bytes of a word are merged by rank.
#include <array>
#include <unordered_map>

#include "text/merges.h"
#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {

std::array<char32_t, 256> byte_alphabet() {
    std::array<char32_t, 256> out{};
    char32_t next = 256;
    for (char32_t b = 0; b < 256; ++b) {
        const bool prints = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        out[b] = prints ? b : next++;
    }
    return out;
}

namespace {

class Bpe final : public OrdinaryEncoder {
public:
    explicit Bpe(const Vocabulary& v)
        : alphabet_(byte_alphabet()), symbols_(v), unknown_(v.unknown), whole_words_(v.whole_words.value_or(false)) {
        for (std::size_t b = 0; b < 256; ++b) {
            byte_of_.emplace(alphabet_[b], std::uint8_t(b));
            byte_ids_[b] = symbols_.find_or_add(utf8(alphabet_[b]));
        }
        merges_ = v.merges.empty() && !v.scores.empty() ? scored_merges(v, symbols_) : ranked_merges(v, symbols_);
    }

    void encode(std::string_view text, std::span<const Word> words, std::vector<TokenId>& out) const override {
        Merges::Work work;
        WordCache cache(words.size());
        std::string spelled;
        for (const Word& w : words) {
            const std::string_view word = text.substr(w.begin, w.end - w.begin);
            cache.encode(word, out, [&] { encode_word(word, work, spelled, out); });
        }
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        if (type == TokenType::user_defined || type == TokenType::control || type == TokenType::unknown) return std::string(stored);
        std::string out;
        for (std::size_t at = 0; at < stored.size();) {
            int length = 1;
            const auto it = byte_of_.find(decode_utf8(stored, at, length));
            if (it != byte_of_.end())
                out += char(it->second);
            else
                out += stored.substr(at, std::size_t(length));
            at += std::size_t(length);
        }
        return out;
    }

private:
    void encode_word(std::string_view word, Merges::Work& work, std::string& spelled, std::vector<TokenId>& out) const {
        if (whole_words_) {
            spelled.clear();
            for (char c : word) append_utf8(spelled, alphabet_[std::uint8_t(c)]);
            if (const TokenId id = symbols_.find(spelled); id >= 0) return emit(id, out);
        }
        work.word.clear();
        for (char c : word) work.word.push_back(byte_ids_[std::uint8_t(c)]);
        merges_.apply(work);
        for (const TokenId id : work.word) emit(id, out);
    }

    void emit(TokenId id, std::vector<TokenId>& out) const {
        if (symbols_.in_vocabulary(id)) return out.push_back(id);
        const std::string_view text = symbols_.added_text(id);
        for (std::size_t at = 0; at < text.size();) {
            int length = 1;
            const auto byte = byte_of_.find(decode_utf8(text, at, length));
            at += std::size_t(length);
            const TokenId part = byte == byte_of_.end() ? unknown_ : byte_ids_[byte->second];
            const TokenId known = symbols_.in_vocabulary(part) ? part : unknown_;
            if (known >= 0) out.push_back(known);
        }
    }

    std::array<char32_t, 256> alphabet_;
    std::unordered_map<char32_t, std::uint8_t> byte_of_;
    std::array<TokenId, 256> byte_ids_{};
    Symbols symbols_;
    Merges merges_{0};
    TokenId unknown_;
    bool whole_words_;
};

}  // namespace

std::unique_ptr<OrdinaryEncoder> make_bpe(const Vocabulary& vocabulary) { return std::make_unique<Bpe>(vocabulary); }

}  // namespace text
