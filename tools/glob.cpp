#include "tools/glob.h"

#include "base/utf8.h"

namespace tools {
namespace {

constexpr std::size_t kMostAlternatives = 256;

// The brace that closes the one at `open`; npos when there is none.
std::size_t closing(const std::string& pattern, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') ++i;
        else if (pattern[i] == '{') ++depth;
        else if (pattern[i] == '}' && --depth == 0) return i;
    }
    return std::string::npos;
}

std::vector<std::string> split_alternatives(const std::string& inner) {
    std::vector<std::string> out(1);
    int depth = 0;
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] == '{') ++depth;
        if (inner[i] == '}') --depth;
        if (inner[i] == ',' && depth == 0) out.emplace_back();
        else out.back() += inner[i];
    }
    return out;
}

bool expand(const std::string& pattern, std::vector<std::string>& out) {
    const std::size_t open = pattern.find('{');
    const std::size_t close = open == std::string::npos ? open : closing(pattern, open);
    if (close == std::string::npos) {
        out.push_back(pattern);
        return out.size() <= kMostAlternatives;
    }
    for (const std::string& part : split_alternatives(pattern.substr(open + 1, close - open - 1)))
        if (!expand(pattern.substr(0, open) + part + pattern.substr(close + 1), out)) return false;
    return true;
}

// One element of the pattern at `p`, against one character; `next` is where the pattern goes on.
bool matches_one(std::string_view pattern, std::size_t p, char c, std::size_t& next) {
    next = p + 1;
    if (pattern[p] == '?') return c != '/';
    if (pattern[p] == '\\' && p + 1 < pattern.size()) return next = p + 2, pattern[p + 1] == c;
    const std::size_t end = pattern[p] == '[' ? pattern.find(']', p + 2) : std::string_view::npos;
    if (end == std::string_view::npos) return pattern[p] == c;
    next = end + 1;
    std::size_t i = p + 1;
    const bool negated = pattern[i] == '!' || pattern[i] == '^';
    bool found = false;
    for (i += negated; i < end; ++i) {
        if (i + 2 < end && pattern[i + 1] == '-') {
            found = found || (pattern[i] <= c && c <= pattern[i + 2]);
            i += 2;
        } else {
            found = found || pattern[i] == c;
        }
    }
    return c != '/' && found != negated;
}

// reach[p]: the pattern up to p matches the path so far. A `*` may be passed for nothing, and so may
// a `**/` where a component begins.
void close_over(std::string_view pattern, std::vector<char>& reach, bool at_start) {
    for (std::size_t p = 0; p < pattern.size(); ++p) {
        if (!reach[p] || pattern[p] != '*') continue;
        const bool deep = pattern.substr(p).starts_with("**");
        reach[p + (deep ? 2 : 1)] = 1;
        if (deep && at_start && pattern.substr(p).starts_with("**/")) reach[p + 3] = 1;
    }
}

bool matches_plain(std::string_view pattern, std::string_view path) {
    std::vector<char> reach(pattern.size() + 1, 0), after;
    reach[0] = 1;
    close_over(pattern, reach, true);
    for (char c : path) {
        after.assign(pattern.size() + 1, 0);
        for (std::size_t p = 0; p < pattern.size(); ++p) {
            if (!reach[p]) continue;
            std::size_t next = p;
            if (pattern[p] == '*') {
                // The second star of `**` is reached only by way of the first.
                const bool deep = pattern.substr(p).starts_with("**");
                if (deep || c != '/') after[p] = 1;
            } else if (matches_one(pattern, p, c, next)) {
                after[next] = 1;
            }
        }
        reach.swap(after);
        close_over(pattern, reach, c == '/');
    }
    return reach[pattern.size()];
}

}  // namespace

base::Result<Glob> Glob::parse(const std::string& pattern) {
    if (pattern.empty()) return base::error(base::Code::invalid_argument, "the pattern is empty", "for example **/*.cpp");
    Glob glob;
    if (!expand(pattern, glob.alternatives_))
        return base::error(base::Code::invalid_argument, "the pattern \"" + std::string(base::beginning(pattern, 80)) + "\" has more than " +
                                                             std::to_string(kMostAlternatives) + " alternatives");
    return glob;
}

bool Glob::matches(std::string_view path) const {
    for (const std::string& plain : alternatives_)
        if (matches_plain(plain, path)) return true;
    return false;
}

}  // namespace tools
