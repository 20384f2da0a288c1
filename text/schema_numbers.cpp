#include <algorithm>

#include "text/grammar_rules.h"
#include "text/schema_rules.h"

namespace text {
namespace {

constexpr std::size_t most_digits = 16;

std::string digits(std::size_t least, std::size_t most) {
    if (most == 0) return "";
    return "[0-9]{" + std::to_string(least) + "," + std::to_string(most) + "} ";
}
std::string one_of(int low, int high) {
    if (low == high) return "\"" + std::to_string(low) + "\" ";
    return "[" + std::to_string(low) + "-" + std::to_string(high) + "] ";
}
// Alternatives collected; an empty list stands for what cannot be.
struct Choices {
    std::string text;
    void add(const std::string& one) {
        if (!one.empty()) text += (text.empty() ? "" : "| ") + one;
    }
    std::string group() const { return text.empty() ? "" : "( " + text + ") "; }
};

std::string stripped(std::string s) {  // no leading zeros
    s.erase(0, std::min(s.find_first_not_of('0'), s.size()));
    return s.empty() ? "0" : s;
}
bool less(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

std::string add_one(std::string s) {
    std::size_t i = s.size();
    while (i > 0 && s[i - 1] == '9') s[--i] = '0';
    if (i == 0) return "1" + s;
    ++s[i - 1];
    return s;
}
std::string take_one(std::string s) {  // of a positive number
    std::size_t i = s.size();
    while (s[i - 1] == '0') s[--i] = '9';
    --s[i - 1];
    return stripped(s);
}

// Digit strings of one length from a to b.
std::string same_length(const std::string& a, const std::string& b) {
    const std::size_t n = a.size();
    if (n == 0) return "";
    if (n == 1) return one_of(a[0] - '0', b[0] - '0');
    const auto all = [](const std::string& s, char c) { return std::all_of(s.begin(), s.end(), [c](char x) { return x == c; }); };
    const std::string a_rest = a.substr(1), b_rest = b.substr(1);
    int low = a[0] - '0', high = b[0] - '0';
    if (low == high) return one_of(low, low) + same_length(a_rest, b_rest);
    Choices out;
    if (!all(a_rest, '0')) {
        out.add(one_of(low, low) + same_length(a_rest, std::string(n - 1, '9')));
        ++low;
    }
    std::string last;
    if (!all(b_rest, '9')) {
        last = one_of(high, high) + same_length(std::string(n - 1, '0'), b_rest);
        --high;
    }
    if (low <= high) out.add(one_of(low, high) + digits(n - 1, n - 1));
    out.add(last);
    return out.group();
}

// Whole numbers from a to b, both at least 0; no b: up to 16 digits.
std::string whole(const std::string& a, const std::optional<std::string>& b) {
    if (b && less(*b, a)) return "";
    Choices out;
    const std::size_t n = a.size();
    if (b && b->size() == n) return same_length(a, *b);
    out.add(same_length(a, std::string(n, '9')));
    const std::size_t most = b ? b->size() - 1 : std::max(most_digits, n);
    if (most > n) out.add("[1-9] " + digits(n, most - 1));
    if (b) out.add(same_length("1" + std::string(b->size() - 1, '0'), *b));
    return out.group();
}

struct Decimal {
    bool negative = false;
    std::string whole = "0", fraction;  // fraction without zeros at its end
    bool zero() const { return whole == "0" && fraction.empty(); }
};

Decimal decimal(std::string s) {
    Decimal d;
    if (!s.empty() && s[0] == '-') d.negative = true, s.erase(0, 1);
    const std::size_t dot = s.find('.');
    d.whole = stripped(s.substr(0, dot));
    if (dot != s.npos) d.fraction = s.substr(dot + 1);
    while (!d.fraction.empty() && d.fraction.back() == '0') d.fraction.pop_back();
    if (d.zero()) d.negative = false;
    return d;
}

struct End {  // of a range of numbers that are at least 0
    std::string whole, fraction;
    bool exclusive = false;
};

// Digits behind the point (at least `least`) whose value is above or equal to that of f.
std::string above(const std::string& f, bool exclusive, std::size_t least) {
    if (f.empty()) return exclusive ? "\"0\"{0,8} [1-9] [0-9]{0,7} " : digits(least, most_digits);
    Choices out;
    if (f[0] < '9') out.add(one_of(f[0] - '0' + 1, 9) + digits(0, most_digits - 1));
    out.add(one_of(f[0] - '0', f[0] - '0') + above(f.substr(1), exclusive, 0));
    return out.group();
}
// At least one digit, value below or equal to that of f (not empty). Empty: none.
std::string below(const std::string& f, bool exclusive) {
    Choices out;
    if (f[0] > '0') out.add(one_of(0, f[0] - '1') + digits(0, most_digits - 1));
    const std::string rest = f.substr(1), same = one_of(f[0] - '0', f[0] - '0');
    if (rest.empty()) {
        if (!exclusive) out.add(same + "\"0\"{0,8} ");
    } else {
        const std::string more = below(rest, exclusive);
        out.add(same + (more.empty() ? "" : "( " + more + ")? "));
    }
    return out.group();
}
std::string between(const std::string& a, bool a_exclusive, const std::string& b, bool b_exclusive) {  // one length
    if (a.empty()) return a_exclusive || b_exclusive ? "" : "\"0\"{0,8} ";
    const int low = a[0] - '0', high = b[0] - '0';
    const std::string a_rest = a.substr(1), b_rest = b.substr(1);
    if (low == high) {
        const std::string rest = between(a_rest, a_exclusive, b_rest, b_exclusive);
        return rest.empty() ? "" : one_of(low, low) + rest;
    }
    Choices out;
    std::string zeros = a_rest;
    while (!zeros.empty() && zeros.back() == '0') zeros.pop_back();
    out.add(one_of(low, low) + above(zeros, a_exclusive, 0));
    if (low + 1 < high) out.add(one_of(low + 1, high - 1) + digits(0, most_digits - 1));
    zeros = b_rest;
    while (!zeros.empty() && zeros.back() == '0') zeros.pop_back();
    if (!zeros.empty()) {
        const std::string more = below(zeros, b_exclusive);
        out.add(one_of(high, high) + (more.empty() ? "" : "( " + more + ")? "));
    } else if (!b_exclusive) {
        out.add(one_of(high, high) + "\"0\"{0,8} ");
    }
    return out.group();
}

const std::string any_fraction = "( \".\" " + digits(1, most_digits) + ")? ";

// The texts of `low.whole` with a fraction that keeps to both ends, of which `high` may have another whole part.
std::string at_low(const End& low) {
    if (low.fraction.empty() && !low.exclusive) return ebnf_literal(low.whole) + " " + any_fraction;
    return ebnf_literal(low.whole) + " \".\" " + above(low.fraction, low.exclusive, 1);
}
std::string at_high(const End& high) {
    if (high.fraction.empty()) return high.exclusive ? "" : ebnf_literal(high.whole) + " ( \".\" \"0\"{1,9} )? ";
    const std::string f = below(high.fraction, high.exclusive);
    return ebnf_literal(high.whole) + " " + (f.empty() ? "" : "( \".\" " + f + ")? ");
}
std::string at_both(const End& low, const End& high) {
    const std::size_t n = std::max({low.fraction.size(), high.fraction.size(), std::size_t(1)});
    std::string a = low.fraction, b = high.fraction;
    a.resize(n, '0');
    b.resize(n, '0');
    if (a > b) return "";
    Choices out;
    if (low.fraction.empty() && !low.exclusive && (!high.fraction.empty() || !high.exclusive)) out.add(ebnf_literal(low.whole) + " ");
    const std::string f = between(a, low.exclusive, b, high.exclusive);
    if (!f.empty()) out.add(ebnf_literal(low.whole) + " \".\" " + f);
    return out.group();
}

std::string positive(const End& low, const std::optional<End>& high) {
    if (high && less(high->whole, low.whole)) return "";
    if (high && high->whole == low.whole) return at_both(low, *high);
    Choices out;
    out.add(at_low(low));
    const std::string first = add_one(low.whole);
    std::optional<std::string> last;
    if (high) last = take_one(high->whole);
    const std::string middle = whole(first, last);
    if (!middle.empty()) out.add(middle + any_fraction);
    if (high) out.add(at_high(*high));
    return out.group();
}

End end_of(const Decimal& d, bool exclusive) { return {d.whole, d.fraction, exclusive}; }

}  // namespace

std::string integer_ebnf(std::optional<Bound> low, std::optional<Bound> high) {
    // Bounds become the nearest whole numbers inside them: sign and digits.
    struct Whole {
        bool negative;
        std::string digits;
    };
    const auto inside = [](const Bound& b, bool is_low) {
        const Decimal d = decimal(b.digits);
        const bool away = d.negative != is_low;  // inside lies farther from zero
        std::string w = d.whole;
        if (!d.fraction.empty() || b.exclusive) {
            if (away)
                w = add_one(w);
            else if (d.fraction.empty())
                return d.zero() ? Whole{!is_low, "1"} : Whole{d.negative, take_one(w)};
        }
        return Whole{d.negative && w != "0", w};
    };
    std::optional<Whole> a, b;
    if (low) a = inside(*low, true);
    if (high) b = inside(*high, false);
    Choices out;
    if (!a || a->negative) {
        std::optional<std::string> most;
        if (a) most = a->digits;
        const std::string w = whole(b && b->negative ? b->digits : "1", most);
        if (!w.empty()) out.add("\"-\" " + w);
    }
    if (!b || !b->negative) {
        std::optional<std::string> most;
        if (b) most = b->digits;
        out.add(whole(a && !a->negative ? a->digits : "0", most));
    }
    return out.group();
}

std::string number_ebnf(std::optional<Bound> low, std::optional<Bound> high) {
    std::optional<Decimal> a, b;
    if (low) a = decimal(low->digits);
    if (high) b = decimal(high->digits);
    Choices out;
    const End zero{"0", "", false};
    if (!a || a->negative) {
        std::optional<End> most;
        if (a) most = end_of(*a, low->exclusive);
        const bool below_zero = b && (b->negative || (b->zero() && high->exclusive));
        const std::string p = positive(below_zero ? end_of(*b, high->exclusive) : zero, most);
        if (!p.empty()) out.add("\"-\" " + p);
    }
    if (!b || !b->negative) {
        std::optional<End> most;
        if (b) most = end_of(*b, high->exclusive);
        out.add(positive(a && !a->negative ? end_of(*a, low->exclusive) : zero, most));
    }
    return out.group();
}

}  // namespace text
