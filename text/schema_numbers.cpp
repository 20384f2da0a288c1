#include <algorithm>

#include "text/grammar_rules.h"
#include "text/schema_rules.h"

namespace text {
namespace {

constexpr std::size_t most_digits = 16;
// Programs read numbers as doubles, which tell numbers of so many digits apart: beside a bound that is left out itself no longer ones are written.
constexpr std::size_t exact_digits = 15;

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

// Texts of digits behind the point, of at most so many places.
// At least `least` of them, value above or equal to that of f.
std::string above(const std::string& f, bool exclusive, std::size_t least, std::size_t places) {
    if (f.empty() && !exclusive) return digits(least, places);
    if (f.empty()) return "\"0\"{0," + std::to_string((places - 1) / 2) + "} [1-9] " + digits(0, (places - 1) / 2);
    Choices out;
    if (f[0] < '9') out.add(one_of(f[0] - '0' + 1, 9) + digits(0, places - 1));
    out.add(one_of(f[0] - '0', f[0] - '0') + above(f.substr(1), exclusive, 0, places - 1));
    return out.group();
}
// At least one digit, value below or equal to that of f (not empty). Empty: none.
std::string below(const std::string& f, bool exclusive, std::size_t places) {
    Choices out;
    if (f[0] > '0') out.add(one_of(0, f[0] - '1') + digits(0, places - 1));
    const std::string rest = f.substr(1), same = one_of(f[0] - '0', f[0] - '0');
    if (rest.empty()) {
        if (!exclusive) out.add(same + "\"0\"{0,8} ");
    } else {
        const std::string more = below(rest, exclusive, places - 1);
        out.add(same + (more.empty() ? "" : "( " + more + ")? "));
    }
    return out.group();
}
std::string between(const std::string& a, bool a_exclusive, const std::string& b, bool b_exclusive, std::size_t places) {  // one length
    if (a.empty()) return a_exclusive || b_exclusive ? "" : "\"0\"{0,8} ";
    const int low = a[0] - '0', high = b[0] - '0';
    const std::string a_rest = a.substr(1), b_rest = b.substr(1);
    if (low == high) {
        const std::string rest = between(a_rest, a_exclusive, b_rest, b_exclusive, places - 1);
        return rest.empty() ? "" : one_of(low, low) + rest;
    }
    Choices out;
    std::string zeros = a_rest;
    while (!zeros.empty() && zeros.back() == '0') zeros.pop_back();
    out.add(one_of(low, low) + above(zeros, a_exclusive, 0, places - 1));
    if (low + 1 < high) out.add(one_of(low + 1, high - 1) + digits(0, places - 1));
    zeros = b_rest;
    while (!zeros.empty() && zeros.back() == '0') zeros.pop_back();
    if (!zeros.empty()) {
        const std::string more = below(zeros, b_exclusive, places - 1);
        out.add(one_of(high, high) + (more.empty() ? "" : "( " + more + ")? "));
    } else if (!b_exclusive) {
        out.add(one_of(high, high) + "\"0\"{0,8} ");
    }
    return out.group();
}

std::string any_fraction(std::size_t places) { return "( \".\" " + digits(1, places) + ")? "; }

// The texts of `low.whole` with a fraction that keeps to both ends, of which `high` may have another whole part.
std::string at_low(const End& low, std::size_t places) {
    if (low.fraction.empty() && !low.exclusive) return ebnf_literal(low.whole) + " " + any_fraction(places);
    return ebnf_literal(low.whole) + " \".\" " + above(low.fraction, low.exclusive, 1, places);
}
std::string at_high(const End& high, std::size_t places) {
    if (high.fraction.empty()) return high.exclusive ? "" : ebnf_literal(high.whole) + " ( \".\" \"0\"{1,9} )? ";
    const std::string f = below(high.fraction, high.exclusive, places);
    return ebnf_literal(high.whole) + " " + (f.empty() ? "" : "( \".\" " + f + ")? ");
}
std::string at_both(const End& low, const End& high, std::size_t places) {
    const std::size_t n = std::max({low.fraction.size(), high.fraction.size(), std::size_t(1)});
    std::string a = low.fraction, b = high.fraction;
    a.resize(n, '0');
    b.resize(n, '0');
    if (a > b) return "";
    Choices out;
    if (low.fraction.empty() && !low.exclusive && (!high.fraction.empty() || !high.exclusive)) out.add(ebnf_literal(low.whole) + " ");
    const std::string f = between(a, low.exclusive, b, high.exclusive, places);
    if (!f.empty()) out.add(ebnf_literal(low.whole) + " \".\" " + f);
    return out.group();
}

std::string positive(const End& low, const std::optional<End>& high, std::size_t places) {
    if (high && less(high->whole, low.whole)) return "";
    if (high && high->whole == low.whole) return at_both(low, *high, places);
    Choices out;
    out.add(at_low(low, places));
    const std::string first = add_one(low.whole);
    std::optional<std::string> last;
    if (high) last = take_one(high->whole);
    const std::string middle = whole(first, last);
    if (!middle.empty()) out.add(middle + any_fraction(places));
    if (high) out.add(at_high(*high, places));
    return out.group();
}

// How many places a number may have that must stay apart from those bounds that are left out themselves.
std::size_t places_beside(const std::optional<Bound>& low, const std::optional<Bound>& high) {
    std::size_t places = most_digits;
    for (const auto& bound : {low, high}) {
        if (!bound) continue;
        const Decimal d = decimal(bound->digits);
        if (!bound->exclusive)
            places = std::max(places, d.fraction.size() + 1);
        else if (d.whole.size() + d.fraction.size() + 1 > exact_digits)
            throw Refused{"the bound " + bound->digits + ", left out itself, has no grammar: it has too many digits"};
    }
    for (const auto& bound : {low, high})
        if (bound && bound->exclusive) places = std::min(places, exact_digits - decimal(bound->digits).whole.size());
    return places;
}

End end_of(const Decimal& d, bool exclusive) { return {d.whole, d.fraction, exclusive}; }

}  // namespace

std::optional<std::string> without_exponent(const std::string& number) {
    constexpr int most = 30;
    const std::size_t e = number.find_first_of("eE");
    if (e == number.npos) return number;
    std::string whole = number.substr(0, e), fraction;
    const bool negative = whole.starts_with('-');
    if (negative) whole.erase(0, 1);
    if (const std::size_t dot = whole.find('.'); dot != whole.npos) fraction = whole.substr(dot + 1), whole.erase(dot);
    int exponent = std::stoi(number.substr(e + 1));
    if (exponent < -most || exponent > most) return std::nullopt;
    for (; exponent > 0; --exponent) {
        whole += fraction.empty() ? '0' : fraction[0];
        fraction.erase(0, 1);
    }
    for (; exponent < 0; ++exponent) {
        fraction.insert(0, 1, whole.empty() ? '0' : whole.back());
        if (!whole.empty()) whole.pop_back();
    }
    return (negative ? "-" : "") + (whole.empty() ? "0" : whole) + (fraction.empty() ? "" : "." + fraction);
}

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
    const std::size_t places = places_beside(low, high);
    std::optional<Decimal> a, b;
    if (low) a = decimal(low->digits);
    if (high) b = decimal(high->digits);
    Choices out;
    const End zero{"0", "", false};
    if (!a || a->negative) {
        std::optional<End> most;
        if (a) most = end_of(*a, low->exclusive);
        const bool below_zero = b && (b->negative || (b->zero() && high->exclusive));
        const std::string p = positive(below_zero ? end_of(*b, high->exclusive) : zero, most, places);
        if (!p.empty()) out.add("\"-\" " + p);
    }
    if (!b || !b->negative) {
        std::optional<End> most;
        if (b) most = end_of(*b, high->exclusive);
        out.add(positive(a && !a->negative ? end_of(*a, low->exclusive) : zero, most, places));
    }
    return out.group();
}

}  // namespace text
