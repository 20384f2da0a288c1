// Who asks for the dashboard asks for nothing else.
#include "server/bridges/link_words.h"

#include <gmock/gmock.h>

namespace {

using server::bridges::asks_for_link;

TEST(LinkWords, AreAMessageOfTheirOwn) {
    for (const char* text : {"/open", " /Open\n", "/dashboard", "Dashboard"}) EXPECT_TRUE(asks_for_link(text)) << text;
    for (const char* text : {"", "open", "/opening", "/open the door", "the dashboard", "what does the dashboard show?"}) EXPECT_FALSE(asks_for_link(text)) << text;
}

TEST(LinkWords, HoldTheLinkAndHowLongItIsGood) {
    const std::string words = server::bridges::link_words("https://home.example:8080/#link=abc");
    EXPECT_THAT(words, testing::HasSubstr(": https://home.example:8080/#link=abc\n"));
    EXPECT_THAT(words, testing::HasSubstr("for once"));
}

}  // namespace
