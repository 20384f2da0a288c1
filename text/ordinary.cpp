#include "text/ordinary.h"

#include <cmath>

#include "text/unicode.h"

namespace text {

std::string with_spaces(std::string_view stored) {
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

bool ByteTokens::parse(std::string_view token, int& byte) {
    if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return false;
    byte = 0;
    for (char c : token.substr(3, 2)) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return false;
        byte = byte * 16 + digit;
    }
    return true;
}

ByteTokens::ByteTokens(const Vocabulary& v) {
    ids_.fill(-1);
    for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
        int byte = 0;
        if (type_of(v, id) == TokenType::byte && parse(v.tokens[std::size_t(id)], byte)) ids_[std::size_t(byte)] = id;
    }
}

bool ByteTokens::spell(std::string_view bytes, std::vector<TokenId>& out) const {
    for (char c : bytes)
        if (ids_[std::uint8_t(c)] < 0) return false;
    for (char c : bytes) out.push_back(ids_[std::uint8_t(c)]);
    return true;
}

base::Result<void> check_scores(const Vocabulary& v) {
    if (v.scores.size() != v.tokens.size())
        return base::error(base::Code::corrupt, "vocabulary has " + std::to_string(v.tokens.size()) + " tokens and " + std::to_string(v.scores.size()) +
                                                    " scores; SentencePiece needs a score for each token");
    for (std::size_t id = 0; id < v.scores.size(); ++id)
        if (!std::isfinite(v.scores[id]))
            return base::error(base::Code::corrupt, "the score of token " + std::to_string(id) + " is " + std::to_string(v.scores[id]) + ", expected a finite number");
    return {};
}

}  // namespace text
