#include "text/grammar_rules.h"

#include <algorithm>
#include <iterator>

namespace text {
namespace {

RuleNode literal(const std::string& bytes) {
    RuleNode n;
    if (bytes.empty()) return n;
    n.kind = RuleNode::Kind::literal;
    n.bytes = bytes;
    return n;
}

void renumber(RuleNode& node, int by) {
    if (node.kind == RuleNode::Kind::rule) node.rule += by;
    for (RuleNode& part : node.parts) renumber(part, by);
}

}  // namespace

base::Result<Rules> given_rules(const GivenRules& given) {
    if (given.kind == GivenRules::Kind::regex) return regex_rules(given.texts.at(0));
    if (given.kind == GivenRules::Kind::ebnf) return parse_ebnf(given.texts.at(0));
    Rules rules;
    rules.names = {"root"};
    rules.nodes.resize(1);
    rules.nodes[0].kind = RuleNode::Kind::either;
    for (const std::string& text : given.texts) rules.nodes[0].parts.push_back(literal(text));
    return rules;
}

void fill_in(Rules& rules, std::string_view open, Rules other) {
    const auto named = std::find(rules.names.begin(), rules.names.end(), open);
    if (named == rules.names.end()) return;
    const int before = int(rules.nodes.size());
    RuleNode& place = rules.nodes[std::size_t(named - rules.names.begin())];
    place.kind = RuleNode::Kind::rule;
    place.rule = before + other.root;
    for (RuleNode& node : other.nodes) renumber(node, before);
    rules.lines.resize(rules.names.size());
    rules.lines.insert(rules.lines.end(), other.lines.begin(), other.lines.end());
    std::move(other.names.begin(), other.names.end(), std::back_inserter(rules.names));
    std::move(other.nodes.begin(), other.nodes.end(), std::back_inserter(rules.nodes));
}

}  // namespace text
