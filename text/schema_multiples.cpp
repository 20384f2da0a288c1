// Numbers, written without exponent, as sets of texts.
#include <algorithm>

#include "text/schema_rules.h"
#include "text/texts.h"

namespace text {
namespace {

using State = Texts::State;

std::string plain_number(const std::string& number) {
    auto out = without_exponent(number);
    if (!out) throw Refused{"the number " + number + " has no grammar: it has too many digits"};
    return *out;
}

}  // namespace

// The state is what the digits so far leave over when divided by those of `divisor`, and how many of them stand behind
// the point; beyond as many as the divisor has there only zeros may follow.
Texts multiples_of(const std::string& divisor) {
    std::string text = plain_number(divisor);
    const std::size_t dot = text.find('.');
    std::size_t places = 0;
    if (dot != text.npos) {
        while (text.back() == '0') text.pop_back();
        places = text.size() - dot - 1;
        text.erase(dot, 1);
    }
    text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
    constexpr std::size_t max_digits = 6;
    if (text.empty() || text[0] == '-' || text.size() > max_digits || places > 30) throw Refused{"multiples of " + divisor + " have no grammar"};
    const unsigned long n = std::stoul(text);
    // [0] the sign may come, [1] a digit must; then one for each rest: as whole number, behind the point, behind k places
    const std::size_t whole = 0, point = 1, behind = 2;
    const auto state = [&](std::size_t where, unsigned long rest) { return int(2 + where * n + rest); };
    if ((places + 3) * n > Texts::max_raw_states) throw Refused{"multiples of " + divisor + " have no grammar: their automaton is too large"};
    std::vector<State> states(2 + (places + 3) * n);
    const auto add_digits = [&](State& from, std::size_t to, unsigned long rest) {
        for (char32_t d = 0; d < 10; ++d) from.add('0' + d, '0' + d, state(to, (rest * 10 + d) % n));
    };
    states[0].add('-', '-', 1);
    add_digits(states[0], whole, 0);
    add_digits(states[1], whole, 0);
    const auto divides = [&](unsigned long rest, std::size_t read) {
        for (std::size_t k = read; k < places; ++k) rest = rest * 10 % n;
        return rest == 0;
    };
    for (unsigned long rest = 0; rest < n; ++rest) {
        State& w = states[std::size_t(state(whole, rest))];
        w.ends = divides(rest, 0);
        w.add('.', '.', state(point, rest));
        add_digits(w, whole, rest);
        const auto add_place = [&](State& from, std::size_t read) {
            if (read < places)
                add_digits(from, behind + read + 1, rest);
            else
                from.add('0', '0', state(behind + read, rest));
        };
        add_place(states[std::size_t(state(point, rest))], 0);
        for (std::size_t k = 0; k <= places; ++k) {
            State& f = states[std::size_t(state(behind + k, rest))];
            f.ends = divides(rest, k);
            add_place(f, k);
        }
    }
    return Texts::of(std::move(states));
}

// All ways to write the number.
Texts spellings_of(const std::string& number) {
    std::string text = plain_number(number);
    if (text.find('.') != text.npos) {
        while (text.back() == '0') text.pop_back();
        if (text.back() == '.') text.pop_back();
    }
    const bool fraction = text.find('.') != text.npos, zero = text == "0" || text == "-0";
    if (zero) text = "0";
    std::string pattern = zero ? "-?" : "";
    for (char c : text) pattern += c == '.' ? "\\." : std::string(1, c);
    return Texts::of(base::parse_regex(pattern + (fraction ? "0*" : "(?:\\.0+)?")).value(), false);
}

}  // namespace text
