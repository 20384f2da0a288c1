// Byte-level BPE (GPT-2): each byte has a printable stand-in, words are cut by the pre-tokenizer,
// and inside a word the best-ranked adjacent pair is merged until none is left.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "text/ordinary.h"
#include "text/pre_tokenizer.h"
#include "text/unicode.h"

namespace text {
namespace {

// Bytes that print stand for themselves, the others for U+0100 onwards, in order.
std::array<char32_t, 256> byte_alphabet() {
    std::array<char32_t, 256> out{};
    char32_t next = 256;
    for (char32_t b = 0; b < 256; ++b) {
        const bool prints = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        out[b] = prints ? b : next++;
    }
    return out;
}

struct Merge {
    std::uint32_t rank;
    TokenId merged;
};

// (left, right) → merge; open addressing, built once.
class MergeTable {
public:
    explicit MergeTable(std::size_t n) {
        std::size_t size = 16;
        while (size < 2 * n) size *= 2;
        slots_.resize(size);
    }
    void insert(TokenId left, TokenId right, Merge merge) {  // the first of equal pairs stays
        const std::uint64_t key = pack(left, right);
        std::size_t i = start(key);
        while (slots_[i].key != empty) {
            if (slots_[i].key == key) return;
            i = (i + 1) & (slots_.size() - 1);
        }
        slots_[i] = {key, merge};
    }
    const Merge* find(TokenId left, TokenId right) const {
        const std::uint64_t key = pack(left, right);
        for (std::size_t i = start(key); slots_[i].key != empty; i = (i + 1) & (slots_.size() - 1))
            if (slots_[i].key == key) return &slots_[i].merge;
        return nullptr;
    }

private:
    static constexpr std::uint64_t empty = ~0ull;
    struct Slot {
        std::uint64_t key = empty;
        Merge merge{};
    };
    static std::uint64_t pack(TokenId l, TokenId r) { return std::uint64_t(std::uint32_t(l)) << 32 | std::uint32_t(r); }
    std::size_t start(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ull >> 20) & (slots_.size() - 1); }
    std::vector<Slot> slots_;
};

struct Symbol {
    TokenId id;
    int previous, next;  // -1: none; id -1: merged away
};

struct Candidate {
    std::uint32_t rank;
    int left;
    TokenId left_id, right_id;
    TokenId merged;
    bool operator<(const Candidate& o) const { return rank != o.rank ? rank > o.rank : left > o.left; }  // best on top
};

// The space between the parts of a merge; npos when there are no two.
std::size_t border(const std::string& merge) {
    const std::size_t space = merge.find(' ', 1);
    return space + 1 == merge.size() ? merge.npos : space;
}

class Bpe final : public OrdinaryEncoder {
public:
    Bpe(const Vocabulary& v, const PreTokenizer& scheme) : scheme_(scheme), alphabet_(byte_alphabet()), merges_(v.merges.size()) {
        first_synthetic_ = TokenId(v.tokens.size());
        for (TokenId id = 0; id < first_synthetic_; ++id)
            if (may_be_ordinary(v, id)) ids_.emplace(v.tokens[std::size_t(id)], id);
        for (std::size_t b = 0; b < 256; ++b) {
            byte_of_.emplace(alphabet_[b], std::uint8_t(b));
            const auto it = ids_.find(utf8(alphabet_[b]));
            byte_ids_[b] = it == ids_.end() ? synthetic(utf8(alphabet_[b])) : it->second;
        }
        unknown_ = v.unknown;
    }

    void add_merges(const std::vector<std::string>& merges) {
        for (std::size_t rank = 0; rank < merges.size(); ++rank) {
            const std::string& m = merges[rank];
            const std::size_t space = border(m);
            const std::string left = m.substr(0, space), right = m.substr(space + 1);
            const TokenId l = id_of(left), r = id_of(right);
            merges_.insert(l, r, {std::uint32_t(rank), id_of(left + right)});
        }
    }

    void encode(std::string_view text, bool, std::vector<TokenId>& out) const override {
        std::string normal;
        if (wants_nfc(scheme_)) text = normal = to_nfc(text);
        Work work;
        std::size_t begin = 0;
        for (std::size_t end : split_words(scheme_, text)) {
            encode_word(text.substr(begin, end - begin), work, out);
            begin = end;
        }
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        if (type == TokenType::user_defined) return std::string(stored);
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
    struct Work {
        std::vector<Symbol> symbols;
        std::vector<Candidate> heap;
        std::string spelled;
    };

    // What merges build but the vocabulary lacks gets an id beyond it, and falls apart again at the end.
    TokenId synthetic(const std::string& text) {
        synthetic_.push_back(text);
        const TokenId id = first_synthetic_ + TokenId(synthetic_.size()) - 1;
        ids_.emplace(text, id);
        return id;
    }
    TokenId id_of(const std::string& text) {
        const auto it = ids_.find(text);
        return it == ids_.end() ? synthetic(text) : it->second;
    }

    void push(Work& work, int left) const {
        const Symbol& l = work.symbols[std::size_t(left)];
        if (l.next < 0) return;
        const TokenId right = work.symbols[std::size_t(l.next)].id;
        const Merge* m = merges_.find(l.id, right);
        if (!m) return;
        work.heap.push_back({m->rank, left, l.id, right, m->merged});
        std::push_heap(work.heap.begin(), work.heap.end());
    }

    void encode_word(std::string_view word, Work& work, std::vector<TokenId>& out) const {
        if (whole_words_first(scheme_)) {
            work.spelled.clear();
            for (char c : word) append_utf8(work.spelled, alphabet_[std::uint8_t(c)]);
            const auto it = ids_.find(work.spelled);
            if (it != ids_.end()) return emit(it->second, out);
        }
        auto& symbols = work.symbols;
        symbols.clear();
        work.heap.clear();
        const int n = int(word.size());
        for (int i = 0; i < n; ++i)
            symbols.push_back({byte_ids_[std::uint8_t(word[std::size_t(i)])], i - 1, i + 1 < n ? i + 1 : -1});
        for (int i = 0; i < n; ++i) push(work, i);
        while (!work.heap.empty()) {
            const Candidate best = work.heap.front();
            std::pop_heap(work.heap.begin(), work.heap.end());
            work.heap.pop_back();
            Symbol& left = symbols[std::size_t(best.left)];
            if (left.id != best.left_id || left.next < 0) continue;
            Symbol& right = symbols[std::size_t(left.next)];
            if (right.id != best.right_id) continue;
            left.id = best.merged;
            right.id = -1;
            left.next = right.next;
            if (left.next >= 0) symbols[std::size_t(left.next)].previous = best.left;
            if (left.previous >= 0) push(work, left.previous);
            push(work, best.left);
        }
        for (int i = 0; i >= 0 && n > 0; i = symbols[std::size_t(i)].next) emit(symbols[std::size_t(i)].id, out);
    }

    void emit(TokenId id, std::vector<TokenId>& out) const {
        if (id < first_synthetic_) return out.push_back(id);
        const std::string& text = synthetic_[std::size_t(id - first_synthetic_)];
        for (std::size_t at = 0; at < text.size();) {
            int length = 1;
            const auto byte = byte_of_.find(decode_utf8(text, at, length));
            at += std::size_t(length);
            const TokenId part = byte == byte_of_.end() ? unknown_ : byte_ids_[byte->second];
            const TokenId known = part < first_synthetic_ ? part : unknown_;
            if (known >= 0) out.push_back(known);
        }
    }

    const PreTokenizer& scheme_;
    std::array<char32_t, 256> alphabet_;
    std::unordered_map<char32_t, std::uint8_t> byte_of_;
    std::array<TokenId, 256> byte_ids_{};
    std::unordered_map<std::string, TokenId> ids_;
    std::vector<std::string> synthetic_;
    TokenId first_synthetic_ = 0, unknown_ = -1;
    MergeTable merges_;
};

}  // namespace

base::Result<void> check_bpe(const Vocabulary& vocabulary) {
    if (auto scheme = find_pre_tokenizer(vocabulary.pre); !scheme) return std::move(scheme).error();
    for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank)
        if (const std::string& m = vocabulary.merges[rank]; border(m) == m.npos)
            return base::error(base::Code::corrupt, "merge " + std::to_string(rank) + " is \"" + m + "\", expected two parts with a space between");
    return {};
}

std::unique_ptr<OrdinaryEncoder> make_bpe(const Vocabulary& vocabulary) {
    auto bpe = std::make_unique<Bpe>(vocabulary, *find_pre_tokenizer(vocabulary.pre).value());
    bpe->add_merges(vocabulary.merges);
    return bpe;
}

}  // namespace text
