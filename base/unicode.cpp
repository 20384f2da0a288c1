#include "base/unicode.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/unicode_tables.h"

namespace base {
namespace {

constexpr char32_t flat_size = 0x10000;

Category search_category(char32_t c) {
    const auto starts = tables::category_starts();
    const auto after = std::upper_bound(starts.begin(), starts.end(), c << 8 | 0xFF);
    return Category(*(after - 1) & 0xFF);
}

std::uint8_t class_of(char32_t c) {
    if (is_space(c)) return Class::space;
    switch (search_category(c)) {
        case Category::Lu: case Category::Lt: return Class::letter | Class::upper_case;
        case Category::Ll: return Class::letter | Class::lower_case;
        case Category::Lm: case Category::Lo: return Class::letter;
        case Category::Nd: case Category::Nl: case Category::No: return Class::number;
        case Category::Mn: case Category::Mc: case Category::Me: return Class::mark;
        case Category::Pc: case Category::Pd: case Category::Ps: case Category::Pe: case Category::Pi: case Category::Pf:
        case Category::Po: return Class::punctuation;
        case Category::Sm: case Category::Sc: case Category::Sk: case Category::So: return Class::symbol;
        default: return 0;
    }
}

const std::vector<std::uint8_t>& flat_classes() {
    static const std::vector<std::uint8_t> table = [] {
        std::vector<std::uint8_t> t(flat_size);
        for (char32_t c = 0; c < flat_size; ++c) t[c] = class_of(c);
        return t;
    }();
    return table;
}

// The run that holds c, or null.
const tables::CaseRun* find_run(std::span<const tables::CaseRun> runs, char32_t c) {
    auto after = std::upper_bound(runs.begin(), runs.end(), c, [](char32_t v, const auto& run) { return v < run.first; });
    if (after == runs.begin()) return nullptr;
    --after;
    return c - after->first < after->count ? &*after : nullptr;
}

int combining_class(char32_t c) {
    if (c < 0x300) return 0;
    const auto* run = find_run(tables::combining(), c);
    return run ? run->value : 0;
}

// Hangul syllables are composed by arithmetic (Unicode §3.12).
constexpr char32_t hangul_s = 0xAC00, hangul_l = 0x1100, hangul_v = 0x1161, hangul_t = 0x11A7;
constexpr char32_t n_l = 19, n_v = 21, n_t = 28;

void decompose(char32_t c, std::u32string& out) {
    if (c < 0xC0) return void(out.push_back(c));
    if (c - hangul_s < n_l * n_v * n_t) {
        const char32_t s = c - hangul_s;
        out.push_back(hangul_l + s / (n_v * n_t));
        out.push_back(hangul_v + s % (n_v * n_t) / n_t);
        if (s % n_t) out.push_back(hangul_t + s % n_t);
        return;
    }
    const auto all = tables::decomposition();
    const auto it = std::lower_bound(all.begin(), all.end(), c, [](const auto& d, char32_t v) { return d.composed < v; });
    if (it == all.end() || it->composed != c) return void(out.push_back(c));
    decompose(it->first, out);
    if (it->second) out.push_back(it->second);
}

void decompose_compatibly(char32_t c, std::u32string& out) {
    if (c < 0xA0) return void(out.push_back(c));
    const auto all = tables::compatibility();
    const auto it = std::lower_bound(all.begin(), all.end(), c, [](const auto& row, char32_t v) { return row.c < v; });
    if (it == all.end() || it->c != c) return decompose(c, out);
    const auto parts = tables::compatibility_parts().subspan(it->first, it->count);
    out.append(parts.begin(), parts.end());
}

char32_t compose_pair(char32_t a, char32_t b) {
    static const auto pairs = [] {
        std::unordered_map<std::uint64_t, char32_t> map;
        for (const auto& d : tables::decomposition())
            if (d.composes) map.emplace(std::uint64_t(d.first) << 32 | d.second, d.composed);
        return map;
    }();
    if (a - hangul_l < n_l && b - hangul_v < n_v) return hangul_s + ((a - hangul_l) * n_v + (b - hangul_v)) * n_t;
    if (a - hangul_s < n_l * n_v * n_t && (a - hangul_s) % n_t == 0 && b - hangul_t - 1 < n_t - 1) return a + (b - hangul_t);
    const auto it = pairs.find(std::uint64_t(a) << 32 | b);
    return it == pairs.end() ? 0 : it->second;
}

void order_marks(std::u32string& s) {
    for (std::size_t i = 0; i < s.size();) {
        if (!combining_class(s[i])) { ++i; continue; }
        std::size_t end = i;
        while (end < s.size() && combining_class(s[end])) ++end;
        std::stable_sort(s.begin() + long(i), s.begin() + long(end),
                         [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
        i = end;
    }
}

std::u32string compose(const std::u32string& s) {
    std::u32string out;
    std::size_t starter = std::u32string::npos;
    int last = 0;  // combining class of the previous mark since the starter; 0: none
    for (char32_t c : s) {
        const int ccc = combining_class(c);
        const bool adjacent = starter != std::u32string::npos && starter + 1 == out.size();
        if (starter != std::u32string::npos && (adjacent || (last && last < ccc))) {
            if (char32_t together = compose_pair(out[starter], c)) {
                out[starter] = together;
                continue;
            }
        }
        if (!ccc) starter = out.size();
        last = ccc;
        out.push_back(c);
    }
    return out;
}

bool has_lead(std::string_view text, std::uint8_t least) {
    return std::any_of(text.begin(), text.end(), [&](char c) { return std::uint8_t(c) >= least; });
}

std::u32string as_it_is(std::u32string s) { return s; }

template <class Decompose, class Finish>
std::string normalized(std::string_view text, Decompose decompose, Finish finish) {
    std::string out;
    std::u32string run;  // valid characters since the last invalid byte
    const auto flush = [&] {
        order_marks(run);
        for (char32_t c : finish(run)) append_utf8(out, c);
        run.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char) {
            flush();
            out += text[at];
        } else {
            decompose(c, run);
        }
        at += std::size_t(length);
    }
    flush();
    return out;
}

}  // namespace

Category category(char32_t c) { return c < 0x110000 ? search_category(c) : Category::unassigned; }

bool is_space(char32_t c) {
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::uint8_t classes(char32_t c) {
    static const std::uint8_t* const table = flat_classes().data();
    if (c < flat_size) return table[c];
    return c < 0x110000 ? class_of(c) : 0;
}

char32_t to_lower(char32_t c) {
    const auto* run = find_run(tables::lower(), c);
    return run ? c + char32_t(run->value) : c;
}

char32_t to_upper(char32_t c) {
    const auto* run = find_run(tables::upper(), c);
    return run ? c + char32_t(run->value) : c;
}

char32_t decode_utf8(std::string_view text, std::size_t at, int& length) {
    const auto byte = [&](std::size_t i) { return std::uint8_t(text[at + i]); };
    const std::uint8_t lead = byte(0);
    length = 1;
    if (lead < 0x80) return lead;
    const int n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || at + std::size_t(n) > text.size()) return no_char;
    char32_t c = lead & (0x7F >> n);
    for (int i = 1; i < n; ++i) {
        if ((byte(std::size_t(i)) & 0xC0) != 0x80) return no_char;
        c = c << 6 | (byte(std::size_t(i)) & 0x3F);
    }
    const char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return no_char;
    length = n;
    return c;
}

void append_utf8(std::string& out, char32_t c) {
    if (c < 0x80) {
        out += char(c);
    } else if (c < 0x800) {
        out += char(0xC0 | c >> 6);
        out += char(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out += char(0xE0 | c >> 12);
        out += char(0x80 | (c >> 6 & 0x3F));
        out += char(0x80 | (c & 0x3F));
    } else {
        out += char(0xF0 | c >> 18);
        out += char(0x80 | (c >> 12 & 0x3F));
        out += char(0x80 | (c >> 6 & 0x3F));
        out += char(0x80 | (c & 0x3F));
    }
}

std::string utf8(char32_t c) {
    std::string out;
    append_utf8(out, c);
    return out;
}

std::string to_nfc(std::string_view text) {
    // Below U+0300 nothing combines, and composed letters there are NFC already.
    return has_lead(text, 0xCC) ? normalized(text, decompose, compose) : std::string(text);
}

std::string to_nfd(std::string_view text) {
    // Nothing below U+00C0 decomposes or combines.
    return has_lead(text, 0xC3) ? normalized(text, decompose, as_it_is) : std::string(text);
}

// ASCII is in both.
std::string to_nfkc(std::string_view text) { return has_lead(text, 0x80) ? normalized(text, decompose_compatibly, compose) : std::string(text); }
std::string to_nfkd(std::string_view text) { return has_lead(text, 0x80) ? normalized(text, decompose_compatibly, as_it_is) : std::string(text); }

}  // namespace base
