// SentencePiece: characters are merged pairwise, the pair whose joint token has the best score
// first; characters without a token fall back to byte tokens.
#include <algorithm>
#include <array>
#include <queue>
#include <unordered_map>

#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {
namespace {

constexpr std::string_view space_mark = "\xE2\x96\x81";  // U+2581

struct Symbol {
    std::size_t begin, size;  // bytes; size 0: merged away
    int previous, next;
};

struct Candidate {
    float score;
    int left;
    int right;
    std::size_t size;  // of the joint text; stale when the symbols have changed
    bool operator<(const Candidate& o) const { return score != o.score ? score < o.score : left > o.left; }
};

class Spm final : public OrdinaryEncoder {
public:
    explicit Spm(const Vocabulary& v) : scores_(v.scores), unknown_(v.unknown), prefix_(v.add_space_prefix) {
        bytes_.fill(-1);
        for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
            const std::string& token = v.tokens[std::size_t(id)];
            const TokenType type = v.types.empty() ? TokenType::normal : v.types[std::size_t(id)];
            int byte = 0;
            if (type != TokenType::control && byte_token(token, byte) && (type == TokenType::byte || bytes_[std::size_t(byte)] < 0))
                bytes_[std::size_t(byte)] = id;
            if (type != TokenType::byte && may_be_ordinary(v, id)) ids_.emplace(token, id);
        }
    }

    void encode(std::string_view text, bool after_special, std::vector<TokenId>& out) const override {
        if (text.empty()) return;
        std::string marked;
        if (prefix_ && after_special) marked += space_mark;
        for (char c : text) {
            if (c == ' ')
                marked += space_mark;
            else
                marked += c;
        }
        merge(marked, out);
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        int byte = 0;
        if (type == TokenType::byte && byte_token(stored, byte)) return std::string(1, char(byte));
        std::string out;
        for (std::size_t at = 0; at < stored.size();) {
            if (stored.substr(at, space_mark.size()) == space_mark) {
                out += ' ';
                at += space_mark.size();
            } else {
                out += stored[at++];
            }
        }
        return out;
    }

private:
    static bool byte_token(std::string_view token, int& byte) {  // "<0xE2>"
        if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return false;
        byte = 0;
        for (char c : token.substr(3, 2)) {
            const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0) return false;
            byte = byte * 16 + digit;
        }
        return true;
    }

    void merge(const std::string& text, std::vector<TokenId>& out) const {
        std::vector<Symbol> symbols;
        for (std::size_t at = 0; at < text.size();) {
            int length = 1;
            decode_utf8(text, at, length);
            const int i = int(symbols.size());
            symbols.push_back({at, std::size_t(length), i - 1, i + 1});
            at += std::size_t(length);
        }
        symbols.back().next = -1;
        std::priority_queue<Candidate> queue;
        std::string joint;
        const auto consider = [&](int left, int right) {
            if (left < 0 || right < 0) return;
            const Symbol &l = symbols[std::size_t(left)], &r = symbols[std::size_t(right)];
            joint.assign(text, l.begin, l.size + r.size);
            const auto it = ids_.find(joint);
            if (it != ids_.end()) queue.push({scores_[std::size_t(it->second)], left, right, joint.size()});
        };
        for (int i = 1; i < int(symbols.size()); ++i) consider(i - 1, i);
        while (!queue.empty()) {
            const Candidate best = queue.top();
            queue.pop();
            Symbol &left = symbols[std::size_t(best.left)], &right = symbols[std::size_t(best.right)];
            if (!left.size || !right.size || left.size + right.size != best.size) continue;
            left.size = best.size;
            right.size = 0;
            left.next = right.next;
            if (left.next >= 0) symbols[std::size_t(left.next)].previous = best.left;
            consider(left.previous, best.left);
            consider(best.left, left.next);
        }
        for (int i = 0; i >= 0; i = symbols[std::size_t(i)].next)
            emit(text.substr(symbols[std::size_t(i)].begin, symbols[std::size_t(i)].size), out);
    }

    void emit(const std::string& part, std::vector<TokenId>& out) const {
        const auto it = ids_.find(part);
        if (it != ids_.end()) return out.push_back(it->second);
        for (char c : part) {
            const TokenId byte = bytes_[std::uint8_t(c)];
            if (byte >= 0) {
                out.push_back(byte);
            } else {
                if (unknown_ >= 0) out.push_back(unknown_);
                return;
            }
        }
    }

    std::vector<float> scores_;
    std::array<TokenId, 256> bytes_{};
    std::unordered_map<std::string, TokenId> ids_;
    TokenId unknown_;
    bool prefix_;
};

}  // namespace

base::Result<void> check_spm(const Vocabulary& vocabulary) {
    if (vocabulary.scores.size() == vocabulary.tokens.size()) return {};
    return base::error(base::Code::corrupt, "vocabulary has " + std::to_string(vocabulary.tokens.size()) + " tokens and " +
                                                std::to_string(vocabulary.scores.size()) +
                                                " scores; SentencePiece needs a score for each token");
}

std::unique_ptr<OrdinaryEncoder> make_spm(const Vocabulary& vocabulary) { return std::make_unique<Spm>(vocabulary); }

}  // namespace text
