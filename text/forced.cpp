#include "text/forced.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"

namespace text {
namespace {

using Place = Places::Place;
constexpr std::size_t most_text = 512;      // bytes looked at behind a place; what comes after them is found from there
constexpr std::size_t max_bytes = 1u << 20; // of runs remembered before all are forgotten
// A split is looked at from so many tokens before the one that may change: merges do not reach further back in practice.
constexpr std::size_t context_tokens = 2;
constexpr int most_tries = 200;             // of ways to go on; where there are more, one that changes the split is assumed

}  // namespace

Forced::Forced(Places& places, Masks& masks, std::shared_ptr<const TokenTable> table)
    : places_(places), masks_(masks), table_(std::move(table)) {
    const Tokenizer& t = table_->tokenizer();
    for (const TokenId id : t.encode("a", false)) put_before_ += t.bytes(id).size();
    put_before_ -= std::min<std::size_t>(put_before_, 1);
}

Forced::Run Forced::forced_text(Place place, std::size_t limit) {
    Run run;
    run.places.push_back(place);
    while (run.text.size() < limit && !places_.ends(run.places.back())) {
        const int byte = places_.only_byte(run.places.back());
        if (byte < 0) break;
        run.text += char(byte);
        run.places.push_back(places_.next(run.places.back(), std::uint8_t(byte)));
    }
    return run;
}

std::string Forced::bytes_after(Place place, std::size_t limit) { return forced_text(place, limit).text; }

// The tokens of a text in the midst of others. Where encoding puts a space before a text, it gets a line end to put it before.
std::vector<TokenId> Forced::write(std::string_view text) const {
    const Tokenizer& t = table_->tokenizer();
    if (put_before_ == 0) return t.encode(text, true);
    std::vector<TokenId> tokens = t.encode("\n" + std::string(text), true);
    std::size_t before = 0, n = 0;
    while (n < tokens.size() && before < put_before_ + 1) before += t.bytes(tokens[n++], true).size();
    if (before != put_before_ + 1) return {};  // the line end is one token with what follows it
    tokens.erase(tokens.begin(), tokens.begin() + std::ptrdiff_t(n));
    return tokens;
}

// Fills the tokens, as far as they say what the text says and the grammar takes them.
void Forced::split(Run& run) const {
    const Tokenizer& t = table_->tokenizer();
    Place at = run.places[0];
    run.begins.push_back(0);
    for (const TokenId id : write(run.text)) {
        const std::string bytes = t.bytes(id, true);
        if (bytes.empty() || t.ends_generation(id) || !std::string_view(run.text).substr(run.begins.back()).starts_with(bytes)) return;
        if (!t.is_control(id) && !table_->has(id)) return;
        at = t.is_control(id) ? places_.run_literal(at, bytes) : places_.run(at, bytes);
        if (at < 0) return;
        run.tokens.push_back(id);
        run.begins.push_back(run.begins.back() + bytes.size());
    }
}

// How many of the tokens stay whatever the grammar lets follow on the text: it is split once more with every token that may
// go on over its end, and with every character that may follow it.
std::size_t Forced::certain(const Run& run) {
    std::size_t sure = run.tokens.size();
    int left = most_tries;
    // False: no split from here on can be about a token that is still taken for sure.
    const auto look = [&](std::size_t from, std::string_view next) {
        const auto holder = std::size_t(std::upper_bound(run.begins.begin(), run.begins.end(), from) - run.begins.begin()) - 1;
        const std::size_t first = holder - std::min(holder, context_tokens);
        if (first >= sure) return false;
        if (left-- == 0) {
            sure = std::min(sure, holder);
            return false;
        }
        const auto other = write(run.text.substr(run.begins[first], from - run.begins[first]) + std::string(next));
        std::size_t same = first;
        while (same < sure && same - first < other.size() && other[same - first] == run.tokens[same]) ++same;
        sure = same;
        return true;
    };
    const auto nodes = table_->nodes();
    std::array<Place, Machine::alias_bytes + 1> trail{};
    const std::size_t longest = Machine::alias_bytes - 1, size = run.text.size();
    for (std::size_t from = size - std::min(size, longest); from < size; ++from) {
        const std::string_view rest = std::string_view(run.text).substr(from);
        for (int layer = 0; layer < TokenTable::n_layers; ++layer) {
            const int top = table_->descend(table_->root(layer), rest);
            if (top < 0) continue;
            trail[rest.size()] = run.places.back();
            for (int i = top + 1, end = nodes[std::size_t(top)].end; i < end;) {
                const TokenTable::Node& n = nodes[std::size_t(i)];
                const Place to = trail[n.depth] = places_.next(trail[n.depth - 1u], n.byte);
                if (to >= 0 && !table_->at(i).empty() && !look(from, table_->tokenizer().bytes(table_->at(i)[0]))) return sure;
                i = to < 0 ? n.end : i + 1;
            }
        }
        for (const auto& [id, text] : table_->control())
            if (text.size() > rest.size() && text.starts_with(rest) && places_.run_literal(run.places[from], text) >= 0 && !look(from, text)) return sure;
    }
    for (char next = 0; next >= 0 && next < 127; ++next)
        if (places_.next(run.places.back(), std::uint8_t(next)) >= 0 && !look(size, {&next, 1})) break;
    return sure;
}

const std::vector<TokenId>& Forced::after(Place place) {
    if (places_.ends(place)) return none_;
    // Whatever the bytes: one token may be all that the vocabulary has for them.
    const auto lone = [&]() -> const std::vector<TokenId>& { return masks_.at(place).has_one() ? masks_.at(place).ids : none_; };
    if (places_.only_byte(place) < 0) return lone();
    if (const auto it = known_.find(place); it != known_.end()) return it->second;
    if (bytes_ > max_bytes) known_.clear(), bytes_ = 0;
    Run run = forced_text(place, most_text);
    std::size_t whole = 0;  // characters: others cannot be split
    for (int length = 1; whole < run.text.size() && decode_utf8(run.text, whole, length) != no_char;) whole += std::size_t(length);
    run.text.resize(whole);
    run.places.resize(whole + 1);
    if (whole > 0) {
        split(run);
        run.tokens.resize(std::min(certain(run), std::size_t(GrammarState::kMostForced)));
    }
    if (run.tokens.empty()) run.tokens = lone();
    bytes_ += 96 + run.tokens.size() * sizeof(TokenId);
    return known_.emplace(place, std::move(run.tokens)).first->second;
}

}  // namespace text
