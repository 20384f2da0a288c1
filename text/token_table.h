// The tokens of a vocabulary in a trie over their bytes, and the masks that a grammar's places give
// over it. Internal to grammar.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/automaton.h"
#include "text/grammar.h"

namespace text {

class TokenTable {
public:
    explicit TokenTable(std::shared_ptr<const Tokenizer> tokenizer);

    struct Node {
        std::int32_t token;   // -1: none ends here
        std::int32_t end;     // index behind the subtree
        std::uint16_t depth;  // of the root 0
        std::uint8_t byte;
    };
    std::span<const Node> nodes() const { return nodes_; }  // preorder; [0] is the root
    TokenId same(TokenId id) const { return same_[std::size_t(id)]; }  // the next token with the same bytes, or -1
    std::span<const std::pair<TokenId, std::string>> control() const { return control_; }
    std::span<const TokenId> ending() const { return ending_; }  // tokens that end generation
    const Tokenizer& tokenizer() const { return *tokenizer_; }

private:
    std::shared_ptr<const Tokenizer> tokenizer_;
    std::vector<Node> nodes_;
    std::vector<TokenId> same_, ending_;
    std::vector<std::pair<TokenId, std::string>> control_;  // with their texts, less those that end generation
};

// A set of tokens: few as ids, many as bits.
struct TokenSet {
    std::vector<TokenId> ids;
    std::vector<std::uint64_t> bits;  // empty: ids hold them all
    void into(std::span<std::uint64_t> out) const;
};

// Masks of one grammar over one vocabulary. Not for concurrent use.
class Masks {
public:
    Masks(Places& places, std::shared_ptr<const TokenTable> table) : places_(places), table_(std::move(table)) {}

    // Tokens that may come at this place, less those that end generation.
    const TokenSet& at(Places::Place place);
    // Tokens that complete the trigger, `matched` bytes of which have been read, and then go on in a way
    // that the grammar refuses. `bound` is the place behind the trigger.
    const std::vector<TokenId>& spoilt(const std::string& trigger, std::size_t matched, Places::Place bound);

private:
    // What can be said of a set of states whatever lies on the stack.
    struct Local {
        TokenSet allowed;
        std::vector<int> open;  // trie nodes where the rule may end inside a token: what follows decides
    };
    const Local& local(const std::vector<int>& states);
    TokenSet pack(const std::vector<std::uint64_t>& bits) const;
    void allow(std::vector<std::uint64_t>& bits, TokenId id) const;
    std::string path(int node);
    void walk(int node, Places::Place from, std::vector<std::uint64_t>& bits);

    Places& places_;
    std::shared_ptr<const TokenTable> table_;
    std::map<std::vector<int>, Local> locals_;
    std::unordered_map<Places::Place, TokenSet> masks_;
    std::map<std::size_t, std::vector<TokenId>> spoilt_;  // of one trigger
    std::string spoilt_trigger_;
    std::vector<Places::Place> trail_;  // [depth], while walking
    std::vector<int> parents_;          // [nodes]
};

// How much of `pattern` a text ends with after one more byte, when it ended with `matched` of it.
std::size_t advance_match(const std::string& pattern, std::size_t matched, char byte);

}  // namespace text
