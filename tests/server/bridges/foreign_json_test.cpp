#include "server/bridges/foreign_json.h"

#include <gtest/gtest.h>

#include <string>

using server::bridges::parse_foreign_json;

TEST(ForeignJson, HalfOfAPairIsReadAsAReplacement) {
    const std::pair<const char*, const char*> texts[] = {
        {R"("\ud83d")", "\uFFFD"},         {R"("a\ude00b")", "a\uFFFDb"},   {R"("\ud83d\u0041")", "\uFFFDA"}, {R"("\ud83d\ud83d\ude00")", "\uFFFD\U0001F600"},
        {R"("\ud83d\ude00")", "\U0001F600"}, {R"("\\ud83d \ud83d")", "\\ud83d \uFFFD"}, {R"("plain")", "plain"},
    };
    for (const auto& [text, means] : texts) {
        const auto read = parse_foreign_json(text, 4);
        ASSERT_TRUE(read) << text << ": " << read.error().text();
        EXPECT_EQ(read->get<std::string>(), means) << text;
    }
}

TEST(ForeignJson, WhatIsWrongOtherwiseIsRefused) {
    for (const char* text : {"", "{", R"("\ud83d)", R"("\ud8")", R"("\uzzzz")", "[[[[[1]]]]]"}) EXPECT_FALSE(parse_foreign_json(text, 4)) << text;
}
