// A grammar as a pushdown automaton over bytes. Its positions are interned ("places"), so that
// whatever was found out about a place (transitions, masks) is found out once. Internal to grammar.
//
// Each rule is a small automaton whose edges take a byte or call a rule. A place is a set of
// (state, stack); a stack node is the set of (return state, stack node) that calls of one rule at
// one position lead back to, as in Earley's and generalised LR parsing: the number of nodes grows
// with positions times rules, never with the number of readings.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "text/grammar_rules.h"

namespace text {

struct Edge {
    enum class Kind : std::uint8_t { bytes, call, empty };
    Kind kind;
    std::uint8_t marks;      // bytes: of a quoted text, its first, its last
    std::uint8_t low, high;  // bytes, both included
    int rule;                // call
    int to;                  // target, or the state after the call
    static constexpr std::uint8_t literal = 1, literal_first = 2, literal_last = 4;
};

// Immutable. States of all rules lie in one array.
struct Machine {
    std::vector<std::vector<Edge>> edges;  // [states]
    std::vector<int> alias;                // [states] a state that accepts the same texts up to alias_bytes long
    std::vector<bool> final;               // [states]
    std::vector<bool> only_final;          // [states] final, and nothing but the end follows
    std::vector<int> start;                // [rules]
    std::vector<bool> nullable;            // [rules] accepts the empty text
    int root = 0;

    static constexpr int alias_bytes = 256;
    // Refuses left recursion, rules that never end, and grammars that need too many states.
    static base::Result<std::shared_ptr<const Machine>> build(const Rules& rules);
};

// The lazily built deterministic view. Not for concurrent use.
class Places {
public:
    using Place = int;  // -1: dead
    struct Config {
        int state, stack;
        bool operator==(const Config&) const = default;
        auto operator<=>(const Config&) const = default;
    };

    explicit Places(std::shared_ptr<const Machine> machine);

    Place begin();
    Place next(Place from, std::uint8_t byte) {
        Place& known = table_[std::size_t(from) * std::size_t(n_classes_) + class_of_[byte]];
        return known != unknown ? known : compute(from, byte);
    }
    Place run(Place from, std::string_view bytes);
    bool ends(Place p) const { return places_[std::size_t(p)].ends; }  // the text so far is a sentence
    std::span<const Config> configs(Place p) const { return places_[std::size_t(p)].configs; }  // those that take a byte, sorted
    // The place made of these states over an empty stack: what follows them is unknown, and ends()
    // of a later place says that it would begin there.
    Place local(std::vector<int> states);
    // Where `text` leads when it is exactly one quoted text of the grammar.
    Place run_literal(Place from, std::string_view text);
    // The same position in another Places of the same machine.
    Place carry(Place p, Places& to) const;
    std::size_t size() const { return places_.size(); }
    int alias(int state) const { return machine_->alias[std::size_t(state)]; }

private:
    static constexpr Place unknown = -2;
    struct Link {
        int state, stack;
        auto operator<=>(const Link&) const = default;
    };
    struct Data {
        std::vector<Config> configs;
        bool ends = false;
    };
    struct Closure;

    std::vector<Config> step(Place from, std::uint8_t byte, std::uint8_t marks) const;
    Place compute(Place from, std::uint8_t byte);
    Place close(std::vector<Config> kernel);
    Place intern(std::vector<Config> configs, bool ends);
    int intern_stack(std::vector<Link> links);

    std::shared_ptr<const Machine> machine_;
    std::array<std::uint8_t, 256> class_of_{};
    int n_classes_ = 0;
    std::vector<Data> places_;
    std::vector<Place> table_;               // [places × classes]
    std::vector<std::vector<Link>> stacks_;  // 0: the bottom
    std::unordered_multimap<std::uint64_t, Place> place_index_;
    std::unordered_multimap<std::uint64_t, int> stack_index_;
};

}  // namespace text
