#include "text/tiktoken.h"

#include <algorithm>
#include <charconv>

#include "text/charsmap.h"
#include "text/ordinary.h"
#include "text/split_patterns.h"
#include "text/unicode.h"

namespace text {
namespace {

constexpr std::size_t kMostTokens = 1 << 24;  // ids that a float tells apart
constexpr std::size_t kLongestToken = 256;    // bytes: each border inside of one may be a merge

constexpr const char* kClass = "TikTokenTokenizer";  // Kimi's and Moonlight's

struct Line {
    std::string token;
    std::size_t rank = 0;
};

// What is wrong with the line, or nothing.
std::string read_line(std::string_view text, Line& out) {
    const std::size_t space = text.find(' ');
    if (space == text.npos) return "a token and its rank";
    const auto token = from_base64(text.substr(0, space));
    if (!token || token->empty() || token->size() > kLongestToken) return "a token of 1 to " + std::to_string(kLongestToken) + " bytes in base64";
    const std::string_view rank = text.substr(space + 1);
    const auto [end, failed] = std::from_chars(rank.data(), rank.data() + rank.size(), out.rank);
    if (failed != std::errc() || end != rank.data() + rank.size() || out.rank >= kMostTokens) return "a rank below " + std::to_string(kMostTokens);
    out.token = *token;
    return {};
}

std::string spelled(const std::string& bytes) {
    static const auto alphabet = byte_alphabet();
    std::string out;
    for (const char c : bytes) append_utf8(out, alphabet[std::uint8_t(c)]);
    return out;
}

}  // namespace

base::Result<Vocabulary> read_tiktoken(std::string_view content, const std::string& tokenizer_class, const std::string& file) {
    if (tokenizer_class != kClass)
        return base::error(base::Code::unsupported, file + ": how text is cut into words is known for the tokenizer_class '" + kClass + "' only, found '" + tokenizer_class + "'",
                           "use a model that has a tokenizer.json");
    const auto wrong = [&](std::size_t line, const std::string& expected) {
        return base::error(base::Code::corrupt, file + ": line " + std::to_string(line) + " is not " + expected, "the file is damaged; fetch it again");
    };
    Vocabulary v;
    v.splitter = {{.pattern = patterns::kimi_k2}};
    v.normalizer.emplace();
    v.whole_words = true;
    std::size_t number = 0, highest = 0, tokens = 0;
    for (std::size_t at = 0; at < content.size();) {
        const std::size_t end = std::min(content.find('\n', at), content.size());
        std::string_view text = content.substr(at, end - at);
        if (text.ends_with('\r')) text.remove_suffix(1);
        at = end + 1;
        ++number;
        if (text.empty()) continue;
        Line line;
        if (const std::string expected = read_line(text, line); !expected.empty()) return wrong(number, expected);
        highest = std::max(highest, line.rank + 1);
        if (highest > 2 * content.size()) return wrong(number, "a rank that the file's size allows");
        if (v.tokens.size() < highest) v.tokens.resize(highest);
        if (!v.tokens[line.rank].empty()) return wrong(number, "a rank of its own: " + std::to_string(line.rank) + " was there before");
        v.tokens[line.rank] = spelled(line.token);
        ++tokens;
    }
    if (tokens != highest || tokens == 0) return base::error(base::Code::corrupt, file + ": has " + std::to_string(tokens) + " tokens and ranks up to " + std::to_string(highest), "the file is damaged; fetch it again");
    for (std::size_t id = 0; id < highest; ++id) v.scores.push_back(-float(id));  // the lowest rank is merged first
    v.types.assign(highest, TokenType::normal);
    return v;
}

}  // namespace text
