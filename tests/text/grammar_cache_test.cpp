#include "text/grammar_cache.h"

#include <gtest/gtest.h>

namespace text {
namespace {

struct Counted {
    int made = 0;
    std::function<base::Result<BoundGrammar>()> make(const char* source) {
        return [this, source]() -> base::Result<BoundGrammar> {
            ++made;
            auto grammar = Grammar::from_ebnf(source);
            if (!grammar) return std::move(grammar).error();
            return BoundGrammar{*std::move(grammar), "t"};
        };
    }
};

TEST(GrammarCache, CompilesASourceOnce) {
    GrammarCache cache;
    Counted c;
    const auto first = cache.get("a", c.make("root ::= \"ta\"")).value();
    const auto again = cache.get("a", c.make("root ::= \"ta\"")).value();
    EXPECT_EQ(first.grammar, again.grammar);
    EXPECT_EQ(again.trigger, "t");
    EXPECT_EQ(c.made, 1);
    EXPECT_NE(cache.get("b", c.make("root ::= \"tb\"")).value().grammar, first.grammar);
}

TEST(GrammarCache, ForgetsWhatWasUsedLongestAgo) {
    GrammarCache cache({.grammars = 2, .bytes = std::size_t(1) << 30});
    Counted c;
    for (const char* key : {"a", "b", "a", "c"}) (void)cache.get(key, c.make("root ::= \"t\"")).value();
    EXPECT_EQ(c.made, 3);
    EXPECT_EQ(cache.size(), 2u);
    (void)cache.get("a", c.make("root ::= \"t\"")).value();
    EXPECT_EQ(c.made, 3);
    (void)cache.get("b", c.make("root ::= \"t\"")).value();
    EXPECT_EQ(c.made, 4);
}

TEST(GrammarCache, KeepsToItsBytesButForTheLast) {
    GrammarCache cache({.grammars = 100, .bytes = 1});
    Counted c;
    for (const char* key : {"a", "b", "c"}) (void)cache.get(key, c.make("root ::= [a-z]{500}")).value();
    EXPECT_EQ(cache.size(), 1u);
    (void)cache.get("c", c.make("root ::= [a-z]{500}")).value();
    EXPECT_EQ(c.made, 3);
}

TEST(GrammarCache, DoesNotKeepErrors) {
    GrammarCache cache;
    Counted c;
    EXPECT_FALSE(cache.get("a", c.make("root = 1")));
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_TRUE(cache.get("a", c.make("root ::= \"t\"")));
    EXPECT_EQ(c.made, 2);
}

}  // namespace
}  // namespace text
