// Who asks for the dashboard asks for nothing else.
#include "server/bridges/link_words.h"

#include <gtest/gtest.h>

namespace {

using server::bridges::asks_for_link;

TEST(LinkWords, AreAMessageOfTheirOwn) {
    for (const char* text : {"/open", " /Open\n", "/dashboard", "Dashboard"}) EXPECT_TRUE(asks_for_link(text)) << text;
    for (const char* text : {"", "open", "/opening", "/open the door", "the dashboard", "what does the dashboard show?"}) EXPECT_FALSE(asks_for_link(text)) << text;
}

}  // namespace
