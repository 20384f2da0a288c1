// SentencePiece's unigram model: of all ways to spell a word in tokens the one whose scores add up to most.
#include <algorithm>
#include <cmath>
#include <limits>

#include "text/ordinary.h"
#include "text/trie.h"
#include "text/unicode.h"

namespace text {
namespace {

constexpr double unknown_penalty = 10;  // below the worst score of the vocabulary, as SentencePiece has it

class Unigram final : public OrdinaryEncoder {
public:
    explicit Unigram(const Vocabulary& v) : scores_(v.scores), bytes_(v), unknown_(v.unknown) {
        double worst = std::numeric_limits<double>::infinity();
        for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
            if (type_of(v, id) == TokenType::normal) worst = std::min(worst, double(v.scores[std::size_t(id)]));
            // A user-defined token is found before, or stands in text that must not come to it.
            if (may_be_ordinary(v, id) && type_of(v, id) != TokenType::user_defined) tokens_.add(v.tokens[std::size_t(id)], id);
        }
        unknown_score_ = (std::isfinite(worst) ? worst : 0) - unknown_penalty;
    }

    void encode(std::string_view text, std::span<const Word> words, std::vector<TokenId>& out) const override {
        std::vector<Step> steps;
        for (const Word& w : words) encode_word(text.substr(w.begin, w.end - w.begin), steps, out);
    }

    std::string bytes(std::string_view stored, TokenType type) const override {
        int byte = 0;
        if (type == TokenType::byte && ByteTokens::parse(stored, byte)) return std::string(1, char(byte));
        return type == TokenType::control || type == TokenType::unknown ? std::string(stored) : with_spaces(stored);
    }

private:
    struct Step {                    // the best way to the place behind a character
        double score = 0;
        std::size_t from = no_way;   // where its last token begins
        TokenId id = -1;             // -1: a character without a token
    };
    static constexpr std::size_t no_way = ~std::size_t(0);

    void encode_word(std::string_view word, std::vector<Step>& steps, std::vector<TokenId>& out) const {
        steps.assign(word.size() + 1, Step{});
        for (std::size_t at = 0; at < word.size();) {
            int length = 1;
            decode_utf8(word, at, length);
            const double here = steps[at].score;
            const auto reach = [&](std::size_t n, double score, TokenId id) {
                Step& step = steps[at + n];
                if (step.from == no_way || here + score > step.score) step = {here + score, at, id};
            };
            bool single = false;
            tokens_.prefixes(word, at, [&](TokenId id, std::size_t n) {
                single |= n == std::size_t(length);
                reach(n, scores_[std::size_t(id)], id);
            });
            if (!single) reach(std::size_t(length), unknown_score_, -1);
            at += std::size_t(length);
        }
        std::vector<Word> path;
        for (std::size_t end = word.size(); end > 0; end = steps[end].from) path.push_back({steps[end].from, end});
        std::reverse(path.begin(), path.end());
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (const TokenId id = steps[path[i].end].id; id >= 0) {
                out.push_back(id);
                continue;
            }
            const std::size_t begin = path[i].begin;  // characters without a token make one unknown
            while (i + 1 < path.size() && steps[path[i + 1].end].id < 0) ++i;
            if (!bytes_.spell(word.substr(begin, path[i].end - begin), out) && unknown_ >= 0) out.push_back(unknown_);
        }
    }

    std::vector<float> scores_;
    Trie tokens_;
    ByteTokens bytes_;
    TokenId unknown_;
    double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<OrdinaryEncoder> make_unigram(const Vocabulary& vocabulary) { return std::make_unique<Unigram>(vocabulary); }

}  // namespace text
