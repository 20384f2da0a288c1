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

TEST(Echo, AFormThatIsFilledWithWhatWasToldIsKnown) {
    const std::string form = "Think the request through in a few short numbered points: what is asked, what is known from above, what follows. This is for yourself; the answer comes after it.";
    const std::string told = "Compare the train with the car for our holiday, and explain step by step which is better.\nThe bins go out on Thursdays (told on 2026-11-30)";
    const auto filled = [&](std::string_view notes) { return agents::reply::is_filled_form(notes, form, told); };
    EXPECT_TRUE(filled("1. What is asked: Compare the train with the car for our holiday.\n2. What is known from above: The bins go out on Thursdays.\n3. What follows: The answer comes after it."));
    EXPECT_FALSE(filled(""));
    EXPECT_FALSE(filled("1. The train is slower and nobody has to drive.\n2. The car carries more luggage."));
    EXPECT_FALSE(filled("1. What is asked: train or car.\n2. What follows: take the train, it is cheaper."));
    EXPECT_FALSE(filled("1. The train is better.")) << "of words that were told, and yet a conclusion";
    EXPECT_FALSE(filled("The car goes step by step, Thursdays the bins go out, so our train with bins and car goes out better")) << "of what was told, and not of the form";
}

TEST(Echo, FiguresAloneAreNoWords) {
    for (const char* bare : {"2026-11-30", "42.", ""}) EXPECT_TRUE(agents::reply::is_wordless(bare)) << bare;
    for (const char* words : {"On 2026-11-30.", "é", "Ja"}) EXPECT_FALSE(agents::reply::is_wordless(words)) << words;
}

}  // namespace
