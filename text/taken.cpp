#include "text/taken.h"

#include <algorithm>
#include <utility>

namespace text {
namespace {

using Place = Places::Place;
constexpr int max_places = 600;  // looked at to learn which characters a place takes

// Valid UTF-8 less U+2028 and U+2029, as an automaton; state 0 is between characters.
struct Utf8Edge {
    std::uint8_t from, low, high, to;
};
constexpr int n_utf8 = 10;
constexpr Utf8Edge utf8_edges[] = {
    {0, 0xC2, 0xDF, 1}, {0, 0xE0, 0xE0, 2}, {0, 0xE1, 0xE1, 3}, {0, 0xE2, 0xE2, 8}, {0, 0xE3, 0xEC, 3}, {0, 0xED, 0xED, 4},
    {0, 0xEE, 0xEF, 3}, {0, 0xF0, 0xF0, 5}, {0, 0xF1, 0xF3, 6}, {0, 0xF4, 0xF4, 7}, {1, 0x80, 0xBF, 0}, {2, 0xA0, 0xBF, 1},
    {3, 0x80, 0xBF, 1}, {4, 0x80, 0x9F, 1}, {5, 0x90, 0xBF, 3}, {6, 0x80, 0xBF, 3}, {7, 0x80, 0x8F, 3}, {8, 0x80, 0x80, 9},
    {8, 0x81, 0xBF, 1}, {9, 0x80, 0xA7, 0}, {9, 0xAA, 0xBF, 0}};

}  // namespace

TakenTexts::TakenTexts(Places& places) : places_(places) {
    for (int layer = 0; layer < TokenTable::n_plain; ++layer)
        for (int state = 0; state < n_utf8; ++state) options_[std::size_t(layer)].push_back(options(layer, std::uint8_t(state)));
}

// The bytes that may come in texts of the layer, one of each class.
std::vector<TakenTexts::Option> TakenTexts::options(int layer, std::uint8_t utf8) const {
    std::vector<Option> out;
    const auto add = [&](int byte, std::uint8_t to) {
        const auto same = [&](const Option& o) { return o.utf8 == to && places_.class_of(o.byte) == places_.class_of(std::uint8_t(byte)); };
        if (std::none_of(out.begin(), out.end(), same)) out.push_back({std::uint8_t(byte), to});
    };
    if (utf8 == 0)
        for (int byte = 0; byte < 0x80; ++byte)
            if (TokenTable::in_layer(layer, char32_t(byte))) add(byte, 0);
    if (!TokenTable::in_layer(layer, 0xE9)) return out;
    for (const Utf8Edge& e : utf8_edges)
        if (e.from == utf8)
            for (int byte = e.low; byte <= e.high; ++byte) add(byte, e.to);
    return out;
}

// The states in which every byte of 0x80 to 0xBF may follow. Places are known by themselves: texts that lead to one place
// lack the same number of bytes.
int TakenTexts::begun(std::uint8_t byte) {
    if (byte < 0x80) return 0;
    for (const Utf8Edge& e : utf8_edges)
        if (e.from == 0 && e.low <= byte && byte <= e.high && (e.to == 1 || e.to == 3)) return e.to;
    return -1;
}

Taken TakenTexts::of(Place from, int layer, int characters, int inside) {
    const std::size_t at = std::size_t(from) * TokenTable::n_plain + std::size_t(layer);
    if (at >= known_.size()) known_.resize(std::max(at + 1, known_.size() * 2));
    // Nothing more is to be learnt of a place that refuses a text, or has no bound.
    if (const Taken& t = known_[at]; t.looked >= characters || t.all < t.looked || t.all == TokenTable::unbounded) return t;
    return known_[at] = look(from, layer, characters, inside);
}

// Breadth first: the places behind texts of one length before those behind longer ones.
Taken TakenTexts::look(Place from, int layer, int characters, int inside) {
    const auto& by_state = options_[std::size_t(layer)];
    if (now_ > 0xFFFFFF00u) now_ = 0, std::fill(met_.begin(), met_.end(), 0);
    const std::uint32_t begin = now_ + 1;  // a place first met behind n characters bears begin + n
    now_ += TokenTable::most_characters + 2;
    const auto meet = [&](Place p, int utf8) -> std::uint32_t& {
        const std::size_t at = std::size_t(p) * n_utf8 + std::size_t(utf8);
        if (at >= met_.size()) met_.resize(std::max(at + n_utf8, met_.size() * 2), 0);
        return met_[at];
    };
    std::vector<Place> here = {from}, next;
    std::vector<std::pair<Place, std::uint8_t>> open;  // and the state inside a character
    meet(from, inside) = begin;
    bool may_end = false, again = false;
    int n_met = 0;
    const int begun = inside != 0;  // that character is read first, as if it were one more
    const auto result = [&](int n, bool none_longer) { return Taken{std::int8_t(n - begun), std::int8_t(characters), none_longer, may_end}; };
    for (int n = 0; n < characters + begun; ++n) {
        bool dead = false, alive = false;
        const bool met_before = again;
        next.clear();
        for (Place place : here) open.push_back({place, n == 0 ? std::uint8_t(inside) : std::uint8_t(0)});
        while (!open.empty()) {
            const auto [place, state] = open.back();
            open.pop_back();
            for (const Option& o : by_state[state]) {
                const Place to = places_.next(place, o.byte);
                (to < 0 ? dead : alive) = true;
                may_end = may_end || (to >= 0 && places_.ends(to));
                if (dead && alive) return result(n, false);
                if (to < 0) continue;
                std::uint32_t& when = meet(to, o.utf8);
                again = again || (when >= begin && when <= begin + std::uint32_t(n));
                if (when >= begin) continue;
                when = begin + std::uint32_t(n) + 1;
                if (++n_met > max_places || places_.work() > stop_at_) return result(n, false);
                if (o.utf8 == 0)
                    next.push_back(to);
                else
                    open.push_back({to, o.utf8});
            }
        }
        // Texts that lead to a place met before were not followed again, and they may go on.
        if (dead) return result(n, !met_before);
        if (next.empty()) return result(TokenTable::unbounded + begun, false);
        std::swap(here, next);
    }
    return result(characters + begun, false);
}

}  // namespace text
