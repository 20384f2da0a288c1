#include "server/bridges/help_words.h"

#include <gtest/gtest.h>

TEST(HelpWords, AreWhatTelegramsProgramsSendByThemselves) {
    for (const char* text : {"/start", " /Start\n", "/start from_a_link", "/help"}) EXPECT_TRUE(server::bridges::asks_for_help(text)) << text;
    for (const char* text : {"", "start", "/starting", "/help me with my taxes", "help"}) EXPECT_FALSE(server::bridges::asks_for_help(text)) << text;
}
