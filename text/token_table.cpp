#include "text/token_table.h"

#include <algorithm>
#include <tuple>

#include "text/automaton.h"
#include "text/unicode.h"

namespace text {
namespace {

bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The first plain layer that may hold the text, or -1; counts its characters.
int plain_layer(std::string_view text, int& characters) {
    int layer = 0;
    characters = 0;
    for (std::size_t at = 0; at < text.size(); ++characters) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char) return -1;
        while (layer < TokenTable::n_plain && !TokenTable::in_layer(layer, c)) ++layer;
        at += std::size_t(length);
    }
    return layer < TokenTable::n_plain ? layer : -1;
}

}  // namespace

// Each layer adds characters to those before it. Quotes, backslashes, line ends and < are in none: they end
// strings and open markup. U+2028 and U+2029 are line ends to regular expressions.
bool TokenTable::in_layer(int layer, char32_t c) {
    if (c >= 'a' && c <= 'z') return true;
    if (is_letter(c)) return layer >= 1;
    if ((c >= '0' && c <= '9') || c == '_') return layer >= 2;
    if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c == 0x7F || c == 0x2028 || c == 0x2029) return false;
    if (c > 0x7F) return layer >= 5;
    return layer >= (c == ' ' ? 4 : 3);
}

TokenTable::TokenTable(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {
    const auto n = std::size_t(tokenizer_->size());
    has_.assign(n, false);
    for (auto& layer : plain_)
        for (auto& bits : layer) bits.assign(n_words(), 0);
    std::vector<Entry> all = entries();
    std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return std::tie(a.layer, a.bytes, a.id) < std::tie(b.layer, b.bytes, b.id); });
    build_tries(all);
    find_longest();
    for (const Entry& e : all)
        if (e.plain >= 0) plain_[std::size_t(e.plain)][std::size_t(std::min(e.characters, unbounded) - 1)][std::size_t(e.id) / 64] |= 1ull << (e.id % 64);
    const auto add = [&](std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& more) {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] |= more[i];
    };
    for (std::size_t layer = 0; layer < n_plain; ++layer)
        for (std::size_t k = 0; k < unbounded; ++k) {
            if (layer > 0) add(plain_[layer][k], plain_[layer - 1][k]);
            // What the layer before has of fewer characters is in its row already.
            if (k > 0) add(plain_[layer][k], plain_[layer][k - 1]);
        }
}

std::vector<TokenTable::Entry> TokenTable::entries() {
    std::vector<Entry> all;
    const Tokenizer& t = *tokenizer_;
    const auto& types = t.vocabulary().types;
    for (TokenId id = 0; id < t.size(); ++id) {
        if (t.ends_generation(id)) {
            ending_.push_back(id);
            continue;
        }
        if (t.is_control(id)) {
            control_.emplace_back(id, t.bytes(id, true));
            continue;
        }
        if (std::size_t(id) < types.size() && types[std::size_t(id)] == TokenType::unused) continue;
        Entry e{other_layer, -1, 0, t.bytes(id), id};
        // Longer tokens are never allowed: Machine's aliases hold for texts up to this length.
        if (e.bytes.empty() || e.bytes.size() >= std::size_t(Machine::alias_bytes)) continue;
        e.plain = plain_layer(e.bytes, e.characters);
        if (e.plain >= 0) e.layer = e.characters > most_characters ? long_layer : e.plain;
        has_[std::size_t(id)] = true;
        all.push_back(std::move(e));
    }
    return all;
}

int TokenTable::descend(int node, std::string_view text) const {
    for (char c : text) {
        const int end = nodes_[std::size_t(node)].end;
        int child = node + 1;
        while (child < end && nodes_[std::size_t(child)].byte != std::uint8_t(c)) child = nodes_[std::size_t(child)].end;
        if (child >= end) return -1;
        node = child;
    }
    return node;
}

void TokenTable::build_tries(const std::vector<Entry>& sorted) {
    std::size_t at = 0;
    for (int layer = 0; layer < n_layers; ++layer) {
        roots_[std::size_t(layer)] = int(nodes_.size());
        std::vector<int> open = {int(nodes_.size())};  // [depth] the node on the current path
        nodes_.push_back({int(order_.size()), 0, 0, 0, 0});
        std::string_view path;
        for (; at < sorted.size() && sorted[at].layer == layer; ++at) {
            const std::string& bytes = sorted[at].bytes;

            std::size_t common = 0;
            while (common < path.size() && common < bytes.size() && path[common] == bytes[common]) ++common;
            for (std::size_t d = open.size() - 1; d > common; --d) nodes_[std::size_t(open[d])].end = int(nodes_.size());
            open.resize(common + 1);
            for (std::size_t d = common; d < bytes.size(); ++d) {
                open.push_back(int(nodes_.size()));
                nodes_.push_back({int(order_.size()), 0, std::uint16_t(d + 1), std::uint8_t(bytes[d]), 0});
            }
            order_.push_back(sorted[at].id);
            path = bytes;
        }
        for (int node : open) nodes_[std::size_t(node)].end = int(nodes_.size());
    }
    nodes_.push_back({int(order_.size()), int(nodes_.size()) + 1, 0, 0, 0});
}

void TokenTable::find_longest() {
    for (std::size_t i = nodes_.size() - 1; i-- > 0;) {  // children before their parents
        int longest = 0;
        for (auto child = i + 1; child < std::size_t(nodes_[i].end); child = std::size_t(nodes_[child].end))
            longest = std::max(longest, nodes_[child].longest + begins_character(nodes_[child].byte));
        nodes_[i].longest = std::uint8_t(std::min(longest, 255));
    }
}

}  // namespace text
