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
#include <string_view>
#include <unordered_map>
#include <utility>
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
    std::vector<bool> only_bytes;          // [states] not final, and every edge takes a byte
    std::vector<bool> disjoint;            // [states] no byte is taken by two edges
    std::vector<int> start;                // [rules]
    std::vector<bool> nullable;            // [rules] accepts the empty text
    int root = 0;

    static constexpr int alias_bytes = 256;
    // Refuses left recursion, rules that never end, and grammars that need too many states.
    static base::Result<std::shared_ptr<const Machine>> build(const Rules& rules);
    std::size_t bytes() const;
};

// Numbers of things by their hashes, in one array. Two things may have one hash: whoever asks compares.
class HashIndex {
public:
    // The number for which `same` holds, or -1.
    template <class Same>
    int find(std::uint64_t hash, Same same) const {
        if (slots_.empty()) return -1;
        for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].number < 0) return -1;
            if (slots_[at].hash == hash && same(slots_[at].number)) return slots_[at].number;
        }
    }
    void insert(std::uint64_t hash, int number);
    std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

private:
    struct Slot {
        std::uint64_t hash = 0;
        int number = -1;
    };
    std::vector<Slot> slots_;  // a power of two, at most half of them taken
    std::size_t n_ = 0;
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
        const std::size_t at = std::size_t(from) * std::size_t(n_classes_) + class_of_[byte];
        if (table_[at] == unknown) fill_row(from);
        return table_[at];
    }
    Place run(Place from, std::string_view bytes);
    // The only byte that may come next, or -1.
    int only_byte(Place from);
    bool ends(Place p) const { return places_[std::size_t(p)].ends; }  // the text so far is a sentence
    std::span<const Config> configs(Place p) const {  // those that take a byte, sorted
        const Data& d = places_[std::size_t(p)];
        return std::span(configs_).subspan(d.first, d.n);
    }
    // The place made of these states over an empty stack: what follows them is unknown, and ends()
    // of a later place says that it would begin there.
    Place local(std::vector<int> states);
    // The place that a local one is when its rules lead back to `stack`.
    Place above(Place local, int stack);
    // Where `text` leads when it is exactly one quoted text of the grammar.
    Place run_literal(Place from, std::string_view text);
    // The same position in another Places of the same machine.
    Place carry(Place p, Places& to) const;
    std::size_t size() const { return places_.size(); }
    std::size_t bytes() const;
    std::uint64_t work() const { return work_; }  // configurations looked at since the beginning
    int alias(int state) const { return machine_->alias[std::size_t(state)]; }
    // Bytes of one class lead to the same place from everywhere.
    int class_of(std::uint8_t byte) const { return class_of_[byte]; }

private:
    static constexpr Place unknown = -2;
    struct Link {
        int state, stack;
        auto operator<=>(const Link&) const = default;
    };
    struct Data {
        std::uint32_t first, n;  // of configs_
        bool ends;
    };
    // One rule called at the position that is being closed.
    struct Call {
        int rule, resolved = -1;
        std::vector<Link> links;  // where it returns to
        std::vector<int> tails;   // rules called here whose callers it returns to
    };
    struct Taken {
        int low, high;  // classes
        Config to;
        Place place;
    };
    class Seen;
    struct Closure;

    std::vector<Config> step(Place from, std::uint8_t byte, std::uint8_t marks) const;
    void fill_row(Place from);
    Place close(std::span<const Config> kernel);
    Place close_one(Config c);
    Place intern(std::span<const Config> sorted, bool ends);
    int intern_stack(std::vector<Link> links);
    // Stacks refer to smaller numbers only; `moved` holds what is known and gets what is found out.
    int moved_stack(int stack, Places& to, std::unordered_map<int, int>& moved) const;

    std::shared_ptr<const Machine> machine_;
    std::array<std::uint8_t, 256> class_of_{};
    std::array<int, 256> lone_{};  // [classes] the byte where there is but one, else -1
    int n_classes_ = 0;
    std::vector<Data> places_;
    std::vector<Config> configs_;            // of all places
    std::vector<Place> table_;               // [places × classes]
    std::vector<std::vector<Link>> stacks_;  // 0: the bottom
    std::size_t n_links_ = 0;
    std::uint64_t work_ = 0;
    HashIndex place_index_, stack_index_;
    std::unordered_map<std::uint64_t, Place> above_;  // local place, stack
    HashIndex single_index_;                          // of kernels of one configuration: numbers in singles_
    std::vector<std::pair<Config, Place>> singles_;
    std::vector<Taken> taken_;                         // while a row is filled
    std::vector<int> call_of_rule_;                    // [rules] -1 but while a position is closed
};

}  // namespace text
