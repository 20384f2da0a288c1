#include "server/bridges/stop_words.h"

#include <gtest/gtest.h>

#include <string>

using server::bridges::Language;
using server::bridges::stop_word;

TEST(StopWords, AreTheWishAloneHoweverItIsWritten) {
    for (const char* text : {"stop", "/stop", "STOP", " Stop! ", "stop.", "Stopp!!", "halt", "Arrête !", "arre\xcc\x82te", "Basta", "¡Para!", "AUFHÖREN", "stop it", "Stop – now", "Please stop!", "stop stop STOP", "Stopp, bitte", "Hör auf!", "Arrête-toi, s'il te plaît", "ça suffit", "¡Para ya!", "стоп", "停止"})
        EXPECT_TRUE(stop_word(text)) << text;
}

TEST(StopWords, SayNothingMoreThanThat) {
    for (const char* text : {"", "!", "When does the bus stop?", "stop the heating at ten", "don't stop", "stopwatch", "/start", "nonstop", "s top", "please", "stop stopping", "now", "bitte", "stop please the music"}) EXPECT_FALSE(stop_word(text)) << text;
    EXPECT_FALSE(stop_word("stop" + std::string(100, '!'))) << "and is short";
    EXPECT_FALSE(stop_word("stop \xff")) << "no text at all";
}

TEST(StopWords, TellTheLanguageOfTheAnswer) {
    EXPECT_EQ(stop_word("Arrêtez !")->language, Language::french);
    EXPECT_EQ(stop_word("Halt")->language, Language::german);
    EXPECT_EQ(stop_word("detén")->language, Language::spanish);
    EXPECT_EQ(stop_word("Fermati")->language, Language::italian);
    EXPECT_EQ(stop_word("cancel")->language, Language::english);
    EXPECT_EQ(stop_word("Stop")->language, std::nullopt) << "anybody says that";
}
