#include "server/bridges/stop_words.h"

#include <gtest/gtest.h>

#include <string>

using server::bridges::is_stop;

TEST(StopWords, AreTheWishAloneHoweverItIsWritten) {
    for (const char* text : {"stop", "/stop", "STOP", " Stop! ", "stop.", "Stopp!!", "halt", "Arrête !", "arre\xcc\x82te", "Basta", "¡Para!", "AUFHÖREN", "stop it", "Stop – now"})
        EXPECT_TRUE(is_stop(text)) << text;
}

TEST(StopWords, SayNothingMoreThanThat) {
    for (const char* text : {"", "!", "When does the bus stop?", "stop the heating at ten", "don't stop", "stopwatch", "/start", "nonstop", "s top"}) EXPECT_FALSE(is_stop(text)) << text;
    EXPECT_FALSE(is_stop("stop" + std::string(100, '!'))) << "and is short";
    EXPECT_FALSE(is_stop("stop \xff")) << "no text at all";
}
