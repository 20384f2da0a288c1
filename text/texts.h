// Sets of texts as deterministic automata over code points, so that several constraints on one text can be kept
// together: patterns with lengths, names that are no others, numbers that are multiples. Internal to grammar.
#pragma once

#include <string>
#include <vector>

#include "base/regex.h"

namespace text {

// Immutable. What needs more states or edges than that throws Refused.
class Texts {
public:
    static constexpr std::size_t max_states = 5000, max_raw_states = 20000;  // raw: before those that accept the same are joined
    static constexpr std::size_t max_edges = 100000;
    static constexpr std::size_t max_work = 1000000;
    struct Edge {
        char32_t first, last;  // both included
        int to;
    };
    struct State {
        bool ends = false;
        std::vector<Edge> next;  // sorted, disjoint; other characters lead nowhere
        void add(char32_t first, char32_t last, int to);  // behind those that are there
    };

    static Texts all();
    static Texts of_characters(const std::vector<base::CharRange>& ranges);
    static Texts of_lengths(int least, int most);  // characters; most -1: no bound
    static Texts of_values(const std::vector<std::u32string>& values);
    static Texts of(std::vector<State> states);  // the first one begins
    // The texts that are one of the expression's, or (`anywhere`) hold one.
    static Texts of(const base::RegexNode& expression, bool anywhere);

    Texts operator&(const Texts& other) const;
    Texts operator|(const Texts& other) const;
    Texts operator-(const Texts& other) const;
    bool empty() const { return states_.empty(); }
    std::size_t work() const { return work_; }  // edges looked at to make it, about
    // Each leads to an end; the first one begins.
    const std::vector<State>& states() const { return states_; }

private:
    // The texts of which `holds`, given whether they are in this and in the other.
    Texts product(const Texts& other, bool (*holds)(bool, bool)) const;

    std::vector<State> states_;
    std::size_t work_ = 0;
};

}  // namespace text
