#include "text/normalizer.h"

#include <algorithm>

#include "text/charsmap.h"
#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {
namespace {

// Each character through `change`, which appends what it becomes; invalid bytes stay.
template <class Change>
std::string each(std::string_view text, Change change) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char)
            out += text[at];
        else
            change(c, out);
        at += std::size_t(length);
    }
    return out;
}

void lowercase(char32_t c, std::string& out) {
    append_utf8(out, c == 0x130 ? 'i' : to_lower(c));
    if (c == 0x130) append_utf8(out, 0x307);  // the one letter whose small form has two characters
}

bool line_or_tab(char32_t c) { return c == '\t' || c == '\n' || c == '\r'; }

void clean(char32_t c, std::string& out) {
    if (line_or_tab(c) || is_space(c)) return void(out += ' ');
    const Category in = category(c);
    if (c == 0 || c == 0xFFFD || in == Category::Cc || in == Category::Cf || in == Category::Co) return;
    append_utf8(out, c);
}

// The ranges of BERT's own code; one begins 0x100 late there.
bool ideograph(char32_t c) {
    constexpr std::pair<char32_t, char32_t> ranges[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                                        {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
    for (const auto& [low, high] : ranges)
        if (c >= low && c <= high) return true;
    return false;
}

void space_ideographs(char32_t c, std::string& out) {
    if (!ideograph(c)) return append_utf8(out, c);
    out += ' ';
    append_utf8(out, c);
    out += ' ';
}

std::string replace(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0;;) {
        const std::size_t found = text.find(from, at);
        out += text.substr(at, found - at);
        if (found == text.npos) return out;
        out += to;
        at = found + from.size();
    }
}

std::string_view trim(std::string_view text, bool left) {
    std::size_t begin = 0, end = text.size();
    if (left) {
        int length = 1;
        while (begin < end && is_space(decode_utf8(text, begin, length))) begin += std::size_t(length);
    } else {
        for (std::size_t at = 0, kept = 0; at < text.size(); end = kept) {
            int length = 1;
            const bool space = is_space(decode_utf8(text, at, length));
            at += std::size_t(length);
            if (!space) kept = at;
        }
    }
    return text.substr(begin, end - begin);
}

std::string_view trim(std::string_view text, std::string_view what, bool left) {
    while (left && text.starts_with(what)) text.remove_prefix(what.size());
    while (!left && text.ends_with(what)) text.remove_suffix(what.size());
    return text;
}

std::string squeeze(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t found = std::min(text.find(from, at), text.size());
        out += text.substr(at, found - at);
        std::size_t end = found;
        while (text.substr(end).starts_with(from)) end += from.size();
        out += end - found > from.size() ? to : text.substr(found, end - found);
        at = end;
    }
    return out;
}

std::string mark_words(std::string_view text, std::string_view mark) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    int length = 1;
    bool within = false;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) {
        const bool space = is_space(decode_utf8(text, at, length));
        if (!space && !within && !text.substr(at).starts_with(mark)) out += mark;
        if (!space) out += text.substr(at, std::size_t(length));
        within = !space;
    }
    return out;
}

std::string prepend(const NormalizerStep& step, std::string_view text, bool first) {
    if (text.empty() || (step.first_only && !first) || (step.unless_there && text.starts_with(step.to))) return std::string(text);
    return step.to + std::string(text);
}

std::string apply(const NormalizerStep& step, std::string_view text, bool first) {
    using Kind = NormalizerStep::Kind;
    switch (step.kind) {
        case Kind::nfc: return to_nfc(text);
        case Kind::nfd: return to_nfd(text);
        case Kind::nfkc: return to_nfkc(text);
        case Kind::nfkd: return to_nfkd(text);
        case Kind::lowercase: return each(text, lowercase);
        case Kind::strip_marks:
            return each(text, [](char32_t c, std::string& out) {
                if (!(classes(c) & Class::mark)) append_utf8(out, c);
            });
        case Kind::strip_nonspacing:
            return each(text, [](char32_t c, std::string& out) {
                if (!(classes(c) & Class::mark) || category(c) != Category::Mn) append_utf8(out, c);
            });
        case Kind::clean: return each(text, clean);
        case Kind::space_ideographs: return each(text, space_ideographs);
        case Kind::replace: return replace(text, step.from, step.to);
        case Kind::prepend: return prepend(step, text, first);
        case Kind::squeeze: return squeeze(text, step.from, step.to);
        case Kind::mark_words: return mark_words(text, step.to);
        case Kind::charsmap: return step.by_cluster ? step.charsmap->apply_by_cluster(text) : step.charsmap->apply(text);
        case Kind::trim_left: case Kind::trim_right: {
            const bool left = step.kind == Kind::trim_left;
            return std::string(step.from.empty() ? trim(text, left) : trim(text, step.from, left));
        }
    }
    return std::string(text);
}

}  // namespace

std::string normalize(std::span<const NormalizerStep> steps, std::string_view text, bool first) {
    std::string out(text);
    for (const NormalizerStep& step : steps) out = apply(step, out, first);
    return out;
}

std::vector<NormalizerStep> SentencePieceNormalizer::steps() const {
    using Kind = NormalizerStep::Kind;
    const std::string mark(space_mark);
    std::vector<NormalizerStep> out;
    if (charsmap) out.push_back({.kind = Kind::charsmap, .charsmap = charsmap});
    if (one_space) {
        out.push_back({.kind = Kind::squeeze, .from = " ", .to = " "});
        out.push_back({.kind = Kind::trim_left, .from = " "});
        out.push_back({.kind = Kind::trim_right, .from = " "});
    }
    out.push_back({.kind = Kind::replace, .from = " ", .to = mark});
    if (space_before) out.push_back({.kind = Kind::prepend, .to = mark});
    if (one_space) out.push_back({.kind = Kind::trim_right, .from = mark});
    return out;
}

std::vector<NormalizerStep> BertNormalizer::steps() const {
    using Kind = NormalizerStep::Kind;
    std::vector<NormalizerStep> out;
    if (clean) out.push_back({.kind = Kind::clean});
    if (space_ideographs) out.push_back({.kind = Kind::space_ideographs});
    if (strip_accents) {
        out.push_back({.kind = Kind::nfd});
        out.push_back({.kind = Kind::strip_nonspacing});
    }
    if (lowercase) out.push_back({.kind = Kind::lowercase});
    return out;
}

}  // namespace text
