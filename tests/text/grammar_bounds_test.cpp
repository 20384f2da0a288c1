// Grammars with very many readings of a text: what a mask costs is counted as work, since time depends on the machine.
#include <gtest/gtest.h>

#include <random>

#include "text/grammar_rules.h"
#include "text/masks.h"
#include "walk.h"

namespace text {
namespace {

using base::Result;

// Sets of which each holds all that come after it, all optional.
std::string optional_sets(int n, const char* between) {
    std::string out;
    for (int i = 0; i < n; ++i) out += std::string("[") + char('0' + i) + "-z]?" + between;
    return out;
}

Result<std::shared_ptr<const Machine>> of_ebnf(const std::string& source) {
    auto rules = parse_ebnf(source);
    if (!rules) return std::move(rules).error();
    return Machine::build(*rules);
}

Result<std::shared_ptr<const Machine>> of_regex(const std::string& pattern) {
    auto rules = regex_rules(pattern);
    if (!rules) return std::move(rules).error();
    return Machine::build(*rules);
}

Result<std::shared_ptr<const Machine>> of_schema(const std::string& schema) {
    auto source = Grammar::schema_to_ebnf(base::OrderedJson::parse(schema), "root");
    if (!source) return std::move(source).error();
    return of_ebnf(*source);
}

std::string overlapping_patterns() {
    std::string all;
    for (int i = 0; i < 30; ++i) all += (all.empty() ? "" : ", ") + std::string(R"({"type": "string", "pattern": "^[)") + char('a' + i % 20) + R"(-z ]{0,200}x[a-z ]*$"})";
    return R"({"anyOf": [)" + all + "]}";
}

TEST(GrammarBounds, AMaskTakesBoundedWork) {
    const auto tokenizer = many_words();
    const auto table = make_token_table(tokenizer);
    const struct {
        const char* name;
        Result<std::shared_ptr<const Machine>> machine;
    } cases[] = {
        {"EBNF: forty optional sets", of_ebnf("root ::= (" + optional_sets(40, " ") + "){0,1500}")},
        {"EBNF: the same behind a text and inside a rule", of_ebnf("root ::= \"a\" part{0,30}\npart ::= (" + optional_sets(40, " ") + "){0,300} \".\"?")},
        {"EBNF: every split of a text into words", of_ebnf("root ::= word*\nword ::= [a-z]+ | [a-y]+ word | word2 word\nword2 ::= [a-x]* [b-x]")},
        {"regex: optional sets", of_regex("(" + optional_sets(40, "") + "){0,1500}")},
        {"regex: a letter far from the end", of_regex("[a-h]*a[a-h]{300}")},
        {"regex: nested quantifiers", of_regex("(((a*)*b{0,20})*c{0,20})*!")},
        {"schema: overlapping patterns", of_schema(overlapping_patterns())},
        {"schema: recursion that can be read in three ways",
         of_schema(R"({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/n"}}, {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 50},
                      {"type": "object", "additionalProperties": {"$ref": "#/$defs/n"}}]}}})")}};
    for (const auto& c : cases) {
        SCOPED_TRACE(c.name);
        ASSERT_TRUE(c.machine) << c.machine.error().message;
        Places places(*c.machine);
        Masks masks(places, table);
        std::mt19937 random(3);
        std::vector<std::uint64_t> bits(table->n_words());
        Places::Place at = places.begin();
        for (int step = 0; step < 6; ++step) {
            const std::uint64_t before = places.work();
            std::fill(bits.begin(), bits.end(), 0);
            masks.at(at).into(bits);
            EXPECT_LE(places.work() - before, 3 * Masks::most_work) << "step " << step;
            std::vector<TokenId> allowed;
            for (TokenId id = 0; id < tokenizer->size(); ++id) {
                const bool bit = bits[std::size_t(id) / 64] >> (id % 64) & 1;
                if (bit) allowed.push_back(id);
                if (!bit && (!table->has(id) || tokenizer->bytes(id).size() > 1)) continue;
                ASSERT_EQ(bit, places.run(at, tokenizer->bytes(id)) >= 0) << "token \"" << tokenizer->bytes(id) << "\" at step " << step;
            }
            if (allowed.empty()) break;
            at = places.run(at, tokenizer->bytes(allowed[random() % allowed.size()]));
        }
    }
}

// Without a bound each of these looked at all places of the vocabulary.
TEST(GrammarBounds, AMaskThatIsCutSaysSo) {
    const auto table = make_token_table(many_words());
    Places places(*of_ebnf("root ::= (" + optional_sets(40, " ") + "){0,1500}"));
    Masks masks(places, table);
    EXPECT_FALSE(masks.at(places.begin()).whole);
    Places small(*of_ebnf("root ::= [a-z]{3,9}"));
    EXPECT_TRUE(Masks(small, table).at(small.begin()).whole);
}

TEST(GrammarBounds, TooManyReadingsAtOnePositionAreRefusedByName) {
    const auto refused = [](const Result<std::shared_ptr<const Machine>>& machine, const char* rule) {
        ASSERT_FALSE(machine);
        EXPECT_EQ(machine.error().code, base::Code::invalid_argument);
        EXPECT_NE(machine.error().message.find(std::string("rule \"") + rule + "\" can be read in more than 20000 ways"), std::string::npos) << machine.error().message;
        EXPECT_NE(machine.error().remedy.find("smaller repetition counts"), std::string::npos);
    };
    refused(of_ebnf("root ::= \"x\" part \"y\"\npart ::= \"(\" (" + optional_sets(8, " ") + "){0,1500} \")\""), "part");
    refused(of_regex("x(" + optional_sets(8, "") + "){0,1500}"), "root");
    EXPECT_TRUE(of_ebnf("root ::= (" + optional_sets(8, " ") + "){0,100}"));
}

}  // namespace
}  // namespace text
