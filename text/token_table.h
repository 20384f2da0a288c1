// The tokens of a vocabulary in tries over their bytes. Internal to grammar.
//
// Most tokens are words: texts made of letters, of printable characters, of any characters but those
// that languages give a meaning. Tokens lie in layers by the characters that they are made of, each layer
// with a trie of its own, so that a place which takes every text of such characters (or every one of n
// characters and no longer one) is done with all tokens of that layer and those before it at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "text/grammar.h"

namespace text {

class TokenTable {
public:
    explicit TokenTable(std::shared_ptr<const Tokenizer> tokenizer);

    struct Node {
        std::int32_t tokens;  // how many lie before it in their order
        std::int32_t end;     // index behind the subtree
        std::uint16_t depth;  // of a root 0
        std::uint8_t byte;
        std::uint8_t longest;  // the most characters that begin behind the node in a text below it
    };
    static constexpr int n_plain = 6;            // layers whose characters are known
    static constexpr int most_characters = 32;   // of a token in a plain layer
    static constexpr int unbounded = most_characters + 1;
    static constexpr int long_layer = n_plain;   // tokens that would be plain, were they not longer
    static constexpr int other_layer = n_plain + 1;
    static constexpr int n_layers = n_plain + 2;

    std::span<const Node> nodes() const { return nodes_; }  // preorder, one trie behind the other, and one last node
    // Tokens that end at the node, and at or below it.
    std::span<const TokenId> at(int node) const { return ordered(node, node + 1); }
    std::span<const TokenId> below(int node) const { return ordered(node, nodes_[std::size_t(node)].end); }
    int descend(int node, std::string_view text) const;  // where the text leads to from there, or -1
    int root(int layer) const { return roots_[std::size_t(layer)]; }
    // Tokens of this plain layer and those before it that have at most so many characters; `unbounded`
    // adds those of the long layer that are made of such characters.
    std::span<const std::uint64_t> plain(int layer, int characters) const {
        return plain_[std::size_t(layer)][std::size_t(characters - 1)];
    }
    // Whether a character may stand in tokens of a plain layer. Above U+007F all are alike but for some.
    static bool in_layer(int layer, char32_t c);
    static bool begins_character(std::uint8_t byte) { return (byte & 0xC0) != 0x80; }

    std::size_t n_words() const { return (has_.size() + 63) / 64; }
    bool has(TokenId id) const { return has_[std::size_t(id)]; }  // it lies in a trie
    std::span<const std::pair<TokenId, std::string>> control() const { return control_; }
    std::span<const TokenId> ending() const { return ending_; }  // tokens that end generation
    const Tokenizer& tokenizer() const { return *tokenizer_; }

private:
    struct Entry {
        int layer;               // whose trie holds it
        int plain, characters;   // the first plain layer that has all its characters, or -1; their number
        std::string bytes;
        TokenId id;
    };
    std::span<const TokenId> ordered(int from, int to) const {
        const auto first = std::size_t(nodes_[std::size_t(from)].tokens), last = std::size_t(nodes_[std::size_t(to)].tokens);
        return std::span(order_).subspan(first, last - first);
    }
    std::vector<Entry> entries();
    void build_tries(const std::vector<Entry>& sorted);
    void find_longest();

    std::shared_ptr<const Tokenizer> tokenizer_;
    std::vector<Node> nodes_;
    std::array<int, n_layers> roots_{};
    std::array<std::array<std::vector<std::uint64_t>, unbounded>, n_plain> plain_;
    std::vector<bool> has_;
    std::vector<TokenId> order_, ending_;  // order_: as their nodes
    std::vector<std::pair<TokenId, std::string>> control_;  // with their texts, less those that end generation
};

}  // namespace text
