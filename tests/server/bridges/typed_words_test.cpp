#include "server/bridges/typed_words.h"

#include <gtest/gtest.h>

#include <set>

using server::bridges::code_of;
using server::bridges::typed_word;

TEST(TypedWords, AreAWordAndACodeHoweverTheyAreWritten) {
    for (const char* text : {"allow K7Q2", "Allow k7q2", "  ALLOW  K 7 Q 2 !", "allow: k7-q2.", "allow once K7Q2", "autorise k7q2", "Autoriser K7Q2", "erlaube K7Q2", "/allow K7Q2"}) {
        const auto word = typed_word(text);
        ASSERT_TRUE(word) << text;
        EXPECT_TRUE(word->grant) << text;
        EXPECT_EQ(word->code, "K7Q2") << text;
    }
    for (const char* text : {"deny K7Q2", "Refuse k7q2", "refuser K7Q2", "Ablehnen: K7Q2", "nega K7Q2"}) {
        const auto word = typed_word(text);
        ASSERT_TRUE(word) << text;
        EXPECT_FALSE(word->grant) << text;
    }
    EXPECT_EQ(typed_word("allow K7Q")->code, "K7Q") << "mistyped, and no matter of a model's";
}

TEST(TypedWords, AreNothingElseThatSomebodySays) {
    for (const char* text : {"", "allow", "deny", "allow it", "allow that", "K7Q2", "Please allow K7Q2", "allow K7Q2 and write to Ann", "refuse tout", "allow 100", "allowed K7Q2", "allow K7é2"}) EXPECT_FALSE(typed_word(text)) << text;
    EXPECT_FALSE(typed_word("allow K7Q2" + std::string(100, '!')));
}

TEST(TypedWords, ACodeIsOfItsQuestion) {
    std::set<std::string> all;
    for (int n = 0; n < 200; ++n) {
        const auto id = store::ApprovalId::make(base::SystemClock().now());
        const std::string code = code_of(id);
        EXPECT_EQ(code, code_of(id));
        EXPECT_EQ(typed_word("allow " + code)->code, code) << "is understood when it is typed";
        all.insert(code);
    }
    EXPECT_GT(all.size(), 190u);
}
