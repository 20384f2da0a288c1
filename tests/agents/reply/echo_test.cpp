// A reply that is the request again is not shown; whatever goes on otherwise is, whole.
#include "agents/reply/echo.h"

#include <gtest/gtest.h>

namespace {

using agents::reply::Echo;

std::string shown(const std::string& request, std::initializer_list<const char*> pieces, bool echoed) {
    Echo echo(request);
    std::string out;
    for (const char* piece : pieces) out += echo.take(piece);
    out += echo.finish();
    EXPECT_EQ(echo.echoed(), echoed) << request;
    return out;
}

TEST(Echo, OnlyTheRequestAgainIsNoAnswer) {
    EXPECT_EQ(shown("When do the bins go out?", {"When do", " the bins go out", "?"}, true), "");
    EXPECT_EQ(shown("Quand sortent les poubelles ?", {"« quand sortent les poubelles »"}, true), "");
    EXPECT_EQ(shown("When do the bins go out?", {"When do the bins go out? ", "On Thursdays."}, false), "When do the bins go out? On Thursdays.");
    EXPECT_EQ(shown("When do the bins go out?", {"When", "ever you like."}, false), "Whenever you like.");
    EXPECT_EQ(shown("When do the bins go out?", {"When do the bins"}, false), "When do the bins") << "cut off, which others say";
    EXPECT_EQ(shown("Good day!", {"Good day!"}, false), "Good day!") << "a greeting is given back";
    EXPECT_EQ(shown("", {"Hello."}, false), "Hello.");
}

TEST(Echo, FiguresAloneAreNoWords) {
    for (const char* bare : {"2026-11-30", "42.", ""}) EXPECT_TRUE(agents::reply::is_wordless(bare)) << bare;
    for (const char* words : {"On 2026-11-30.", "é", "Ja"}) EXPECT_FALSE(agents::reply::is_wordless(words)) << words;
}

}  // namespace
