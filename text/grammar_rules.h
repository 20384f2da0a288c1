// A grammar as rules over code points: what the EBNF parser gives and the automaton is built from.
// Internal to grammar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/result.h"
#include "text/given_rules.h"

namespace text {

struct RuleNode {
    enum class Kind { empty, literal, set, rule, sequence, either, repeat };
    Kind kind = Kind::empty;
    std::string bytes;                    // literal
    std::vector<base::CharRange> ranges;  // set: sorted, disjoint
    int rule = -1;                        // rule: index into Rules::nodes
    std::vector<RuleNode> parts;          // sequence, either, repeat (one)
    int least = 0, most = -1;             // repeat; most -1: no bound
};

struct Rules {
    std::vector<std::string> names;
    std::vector<RuleNode> nodes;  // beside names
    std::vector<int> lines;       // beside names, where a text defines them; 0 or none: nothing does
    int root = 0;
};

// The rule called `root` begins. Errors name line and column. A rule called `open` may be used and not defined.
base::Result<Rules> parse_ebnf(std::string_view source, std::string_view open = {});

base::Result<Rules> given_rules(const GivenRules& given);
// Puts the other's language where the rule called `open` is used.
void fill_in(Rules& rules, std::string_view open, Rules other);

// The language of the whole pattern as one rule; ^ and $ may stand at its ends.
base::Result<Rules> regex_rules(std::string_view pattern);

struct TextForm {
    int least = 0, most = -1;     // characters; most -1: no bound
    bool plain_less_than = true;  // see SchemaOptions
};

// An EBNF expression for the JSON strings (quotes included) in whose value the pattern is found; empty when there are none.
base::Result<std::string> regex_json_ebnf(std::string_view pattern, TextForm form);

std::string ebnf_literal(std::string_view bytes);  // quoted and escaped
std::string char_class_ebnf(const std::vector<base::CharRange>& ranges);
// One character of the set as a JSON string spells it. `less`: see SchemaOptions::plain_less_than.
std::string json_char_ebnf(const std::vector<base::CharRange>& ranges, bool less);
// The expression of a rule that calls no other.
base::RegexNode regex_of(const RuleNode& node);

}  // namespace text
