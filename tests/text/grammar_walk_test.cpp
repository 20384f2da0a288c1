// Random walks through the masks: every mask is what trying each token gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/fixtures.h"
#include "support/vocabularies.h"
#include "text/grammar.h"
#include "walk.h"

namespace text {
namespace {

std::vector<std::shared_ptr<const Tokenizer>> vocabularies() {
    return {words(), Tokenizer::create(support::read_gguf_vocabulary(support::data_dir() / "models/llama_tied.gguf")).value()};
}

// Grammars beside JSON: ambiguous ones, deep calls, repetitions with a bound.
TEST(GrammarWalk, MasksAreExactUnderAnyGrammar) {
    const char* const sources[] = {
        "root ::= word (\" \" word)* \".\"\nword ::= [a-z]+ | [A-Z] [a-z]*",
        "root ::= (\"a\" | \"ab\" | \"aba\")* \"!\"",
        "root ::= \"(\" root \")\" | [0-9]{1,3} | \"x\"",
        "root ::= [^<]* \"<tool>\" \"a\" [^\\n]{0,300} \"\\n\"",
        "root ::= a b? c\na ::= \"x\" a | \"\"\nb ::= a \"y\"\nc ::= [a-z0-9]{2,40} \"1\""};
    for (const auto& tokenizer : vocabularies()) {
        const auto table = make_token_table(tokenizer);
        for (const char* source : sources) {
            SCOPED_TRACE(source);
            const auto grammar = Grammar::from_ebnf(source).value();
            for (unsigned seed = 0; seed < 4; ++seed) {
                std::mt19937 random(seed);
                const auto state = GrammarState::create(grammar, table);
                std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
                for (int step = 0; step < 60; ++step) {
                    ASSERT_TRUE(state->mask(bits));
                    std::vector<TokenId> allowed;
                    for (TokenId id = 0; id < tokenizer->size(); ++id) {
                        const bool bit = bits[std::size_t(id) / 64] >> (id % 64) & 1;
                        ASSERT_EQ(bit, state->clone()->accept(id)) << "token \"" << tokenizer->bytes(id, true) << "\" at step " << step;
                        if (bit && !tokenizer->ends_generation(id)) allowed.push_back(id);
                    }
                    if (allowed.empty()) break;
                    ASSERT_TRUE(state->accept(allowed[random() % allowed.size()]));
                }
            }
        }
    }
}

// Texts whose next character is a rule of its own, counted, and with something to be found in them.
TEST(GrammarWalk, MasksAreExactWhereATextIsCounted) {
    const auto schema = [](const char* source) { return Grammar::from_json_schema(base::OrderedJson::parse(source)).value(); };
    const std::shared_ptr<const Grammar> grammars[] = {
        schema(R"({"type": "string", "pattern": "[a-z]", "maxLength": 40})"),
        schema(R"({"type": "string", "pattern": "[b-d]{3}", "minLength": 4, "maxLength": 24})"),
        schema(R"({"type": "string", "pattern": "[a-z]{3}", "maxLength": 9})"),
        schema(R"({"type": "string", "pattern": "[a-z]é[0-9]?", "maxLength": 11})"),
        schema(R"({"type": "string", "pattern": "[0-9]{2}", "minLength": 30})"),
        schema(R"({"type": "string", "not": {"enum": ["abc", "c"]}, "maxLength": 12})"),
        schema(R"({"type": "object", "propertyNames": {"pattern": "^[a-z]+$", "minLength": 3, "maxLength": 10}})"),
        Grammar::from_ebnf("root ::= c ( c ( c ( c \".\" | d ) | d ) | d ) | d\nc ::= [^0-9]\nd ::= [0-9] c{0,20} \"!\"").value(),
        Grammar::from_ebnf("root ::= ([a-z]{0,12} \" \")* \"!\"").value(),
        // Of characters above U+007F more may come than of those below.
        Grammar::from_ebnf("root ::= c{0,2} \"<\" | [a-z]{3,4} \"<\" | [é中]{3,9} \"<\"\nc ::= [^<]").value(),
        Grammar::from_ebnf("root ::= c{3,9} \"中\" c{0,4} [a-zé中]* \"<\"\nc ::= [^<]").value()};
    const auto tokenizer = many_words();
    const auto table = make_token_table(tokenizer);
    std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
    for (std::size_t g = 0; g < std::size(grammars); ++g)
        for (unsigned seed = 0; seed < 3; ++seed) {
            std::mt19937 random(seed);
            const auto state = GrammarState::create(grammars[g], table);
            for (int step = 0; step < 12; ++step) {
                ASSERT_TRUE(state->mask(bits));
                std::vector<TokenId> allowed;
                const auto try_it = state->clone();
                for (TokenId id = 0; id < tokenizer->size(); ++id) {
                    const bool bit = bits[std::size_t(id) / 64] >> (id % 64) & 1;
                    if (bit && !tokenizer->ends_generation(id)) allowed.push_back(id);
                    if (!bit && !try_it->accept(id)) continue;  // refused: the state is unchanged
                    ASSERT_EQ(bit, state->clone()->accept(id)) << "grammar " << g << ", token \"" << tokenizer->bytes(id, true) << "\" at step " << step;
                }
                if (allowed.empty()) break;
                // Short tokens, so that the walk goes through the counts.
                TokenId chosen = allowed[random() % allowed.size()];
                for (int i = 0; i < 20 && tokenizer->bytes(chosen, true).size() > 6; ++i) chosen = allowed[random() % allowed.size()];
                ASSERT_TRUE(state->accept(chosen));
            }
        }
}

// Tokens that would complete the trigger and go on wrongly are those that accept() refuses.
TEST(GrammarWalk, MasksAreExactWhileATriggerIsAwaited) {
    for (const char* trigger : {"<t>", "aba", "{\"name\": ", "abab"}) {
        const auto tokenizer = words();
        const auto table = make_token_table(tokenizer);
        const auto grammar = Grammar::from_ebnf("root ::= \"<t>ab\" | \"aba,\" | \"{\\\"name\\\": 1\" | \"ababx\"").value();
        std::mt19937 random(5);
        const std::string letters = trigger;
        for (int round = 0; round < 30; ++round) {
            const auto state = GrammarState::create(grammar, table, trigger);
            std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
            for (int step = 0; step < 12; ++step) {
                const bool bound = state->mask(bits);
                for (TokenId id = 0; id < tokenizer->size(); ++id)
                    ASSERT_EQ(!bound || (bits[std::size_t(id) / 64] >> (id % 64) & 1), state->clone()->accept(id)) << tokenizer->bytes(id, true);
                const char next = letters[std::size_t(step) % letters.size()];
                for (TokenId id = 0; id < tokenizer->size(); ++id)
                    if (random() % 6 ? tokenizer->bytes(id) == std::string(1, next) : random() % 50 == 0)
                        if (state->accept(id)) break;
            }
        }
    }
}

}  // namespace
}  // namespace text
