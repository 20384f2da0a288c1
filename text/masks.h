// The masks that the places of a grammar give over a vocabulary. Internal to grammar.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/automaton.h"
#include "text/taken.h"
#include "text/token_table.h"

namespace text {

// A set of tokens: few as ids, many as bits.
struct TokenSet {
    std::vector<TokenId> ids;
    std::vector<std::uint64_t> bits;  // empty: ids hold them all
    void into(std::span<std::uint64_t> out) const;
    bool whole = true;  // false: there may be more
    bool has_one() const { return whole && bits.empty() && ids.size() == 1; }
    std::size_t bytes() const { return sizeof *this + ids.size() * sizeof(TokenId) + bits.size() * 8; }
};

// Masks of one grammar over one vocabulary. Not for concurrent use.
class Masks {
public:
    Masks(Places& places, std::shared_ptr<const TokenTable> table);

    // Tokens that may come at this place, less those that end generation. Where finding them takes more than most_work these
    // are the tokens found until then, each of one byte among them: under a grammar that has very many readings of a text.
    // Valid until the next call.
    const TokenSet& at(Places::Place place);
    static constexpr std::uint64_t most_work = 1'000'000;  // of Places; filling one row of its table may go beyond
    // Tokens that complete the trigger, `matched` bytes of which have been read, and then go on in a way
    // that the grammar refuses. `bound` is the place behind the trigger.
    const std::vector<TokenId>& spoilt(const std::string& trigger, std::size_t matched, Places::Place bound);
    // Adds tokens that complete a head, one of `heads`, and then go on in a way that the grammar refuses. `at` and `bound`: the
    // output's place among the heads, and in the grammar, which begins with every one of them.
    void add_spoilt_heads(Places& heads, Places::Place at, Places::Place bound, std::vector<TokenId>& out);
    std::size_t bytes() const { return bytes_ + taken_.bytes(); }

private:
    // A trie node where a rule may end inside a token, and the local place there: what follows decides.
    struct Open {
        int node;
        Places::Place reached;
    };
    // What can be said of a set of states whatever lies on the stack.
    struct Local {
        TokenSet allowed;
        std::vector<Open> open;
        bool mostly_open = false;  // what follows decides on so many tokens that nothing else is remembered
    };

    const Local& local(const std::vector<int>& states);
    TokenSet find(Places::Place place);
    void whole(Places::Place place, std::vector<std::uint64_t>& bits);
    void single_bytes(Places::Place place, std::vector<std::uint64_t>& bits);
    bool spent() const { return places_.work() > stop_at_; }
    void take_layers(Places::Place from, std::vector<std::uint64_t>& bits, std::vector<Open>* open);
    void walk(int node, Places::Place from, std::vector<std::uint64_t>& bits, std::vector<Open>* open);
    void walk_plain(int layer, Places::Place from, int known, std::vector<std::uint64_t>& bits, std::vector<Open>* open);
    void sweep(int node, Places::Place from, std::vector<TokenId>& out);
    void find_whole(const std::string& trigger);
    TokenSet pack(const std::vector<std::uint64_t>& bits) const;

    Places& places_;
    TakenTexts taken_;
    std::shared_ptr<const TokenTable> table_;
    std::map<std::vector<int>, Local> locals_;
    std::unordered_map<Places::Place, TokenSet> masks_;
    std::map<std::size_t, std::vector<TokenId>> spoilt_;  // of one trigger
    std::vector<std::pair<int, std::string>> whole_;
    std::string spoilt_trigger_;
    std::vector<Places::Place> trail_;  // [depth], while walking
    std::vector<std::pair<Places::Place, Places::Place>> head_trail_;  // [depth], while looking for heads
    std::vector<int> known_;            // [depth] of a plain layer: texts that go on with so many characters are done
    Local part_of_local_;               // what was found of one, and of a mask, before the work was too much
    TokenSet part_;
    std::uint64_t stop_at_ = 0;         // of the places' work
    int n_open_ = 0;                    // nodes below those that are open: a local place with too many is given up
    std::size_t bytes_ = 0;
};

// How much of `pattern` a text ends with after one more byte, when it ended with `matched` of it.
std::size_t advance_match(const std::string& pattern, std::size_t matched, char byte);

}  // namespace text
