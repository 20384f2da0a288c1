// Replies without signs of machines, however the text is cut.
#include "agents/reply/plain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace agents::reply {
namespace {

TEST(Plain, WhatCarriesMeaningStays) {
    const struct {
        const char *text, *plain;
    } cases[] = {
        {"Hello Clara, it is 5 pm.", "Hello Clara, it is 5 pm."},
        {"## The plan\nFirst, bread.", "The plan\nFirst, bread."},
        {"It is **very** `important` and *warm*.", "It is very important and warm."},
        {"The area is $\\pi r^2$.", "The area is π r^2."},
        {"\\[ x = \\frac{a+b}{2} \\]", " x = a+b : 2 "},
        {"It costs $5, or \\$6.", "It costs $5, or $6."},
        {"| Day | Food |\n|---|---|\n| Monday | soup |\n", "Day, Food\nMonday, soup\n"},
        {"Run this:\n```bash\nls\n```\nDone.", "Run this:\nls\nDone."},
        {R"({"name": "Anna", "age": 7})", "name: Anna, age: 7"},
        {"I saved /home/clara/notes/list.txt for you.", "I saved list.txt for you."},
        {"See src/main.cpp and ~/x, and/or 12/05/2026.", "See main.cpp and x, and/or 12/05/2026."},
        {"See https://example.org/a/b.html.", "See https://example.org/a/b.html."},
        {"[the page](https://example.org/a)", "the page (https://example.org/a)"},
        {"* one\n* two\n", "- one\n- two\n"},
        {"<tool_call>{\"name\": \"x\"}</tool_call>", "name: x"},
        {"2 * 3 = 6 and 3 < 4.", "2 * 3 = 6 and 3 < 4."},
        {"A title\n===\nText", "A title\nText"},
        {"She said \"yes\".", "She said \"yes\"."},
        {"a_b stays, __bold__ goes", "a_b stays, bold goes"},
        {"{\n  \"name\": \"Anna\",\n  \"of\": {\n    \"age\": 7\n  },\n}\n", "  name: Anna,\n  of: \n    age: 7\n"},
        {"It lies at file:///etc/passwd.", "It lies at passwd."},
        {"path:/etc/x, km/h", "x, km/h"},
    };
    for (const auto& c : cases) EXPECT_EQ(plain(c.text), c.plain) << c.text;
}

// Two slashes or more in a word that is neither a date nor an address.
std::string path_in(const std::string& text) {
    std::string word;
    for (const char c : text + " ") {
        if (c != ' ' && c != '\n') {
            word += c;
            continue;
        }
        const bool address = word.find("://") != std::string::npos && word.find("file:") == std::string::npos;
        const bool named = std::any_of(word.begin(), word.end(), [](char one) { return std::isalpha(static_cast<unsigned char>(one)); });
        if (named && !address && std::count(word.begin(), word.end(), '/') > 1) return word;
        word.clear();
    }
    return {};
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)); }

// What of the list is still there; empty: nothing.
std::string sign_in(const std::string& text) {
    for (const char* sign : {"\\", "`", "|", "{", "}", "**", "__", "~~~"})
        if (text.find(sign) != std::string::npos) return sign;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$' && (i + 1 == text.size() || !std::isdigit(static_cast<unsigned char>(text[i + 1])))) return "$";
        if (text[i] == '#' && (i == 0 || text[i - 1] == '\n')) return "#";
        if (text[i] == '<' && i + 1 < text.size() && is_letter(text[i + 1]) && text.find('>', i) != std::string::npos) return "tag";
        const bool begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n';
        if (begins && (text.substr(i).starts_with("~/") || text.substr(i).starts_with("./") || (text[i] == '/' && i + 1 < text.size() && is_letter(text[i + 1])))) return "path";
    }
    return path_in(text);
}

std::string in_pieces(const std::string& text, std::mt19937& random) {
    Plain stream;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t piece = 1 + random() % 7;
        out += stream.take(std::string_view(text).substr(at, piece));
        at += piece;
    }
    return out + stream.finish();
}

TEST(Plain, NothingOfTheListComesThroughHoweverItIsCut) {
    const std::vector<std::string> bits = {"# ", "## ", "```", "```json\n", "~~~", "`", "$", "$$", "\\(", "\\]", "\\frac{a}{b}", "\\text{hi}", "\\", "{", "}", "{\"a\": [1]}", "|", "| a | b |", "|---|",
                                           "**", "*", "__", "_", "<b>", "</b>", "<tool_call>", "<", ">", "> ", "/etc/passwd", "~/x", "./a/b", "a/b.txt", "/", "[x](y)", "[", "]", "Hello", "5", " ", "\n", "\n\n",
                                           ". ", "! ", "é", "- ", "+ ", "===\n", "---\n"};
    std::mt19937 random(3);
    for (int run = 0; run < 20000; ++run) {
        std::string text;
        for (int i = 0; i < 10; ++i) text += bits[random() % bits.size()];
        const std::string whole = plain(text);
        ASSERT_EQ(sign_in(whole), "") << "of\n" << text << "\ncame\n" << whole;
        ASSERT_EQ(in_pieces(text, random), whole) << text;
    }
}

TEST(Plain, SentencesWithoutSignsAreNotWaitedFor) {
    Plain stream;
    EXPECT_EQ(stream.take("It is warm. It"), "It is warm.");
    EXPECT_EQ(stream.take(" is `late`. And"), "");
    EXPECT_EQ(stream.take(" more\n"), " It is late. And more\n");
    EXPECT_EQ(stream.finish(), "");
}

TEST(Plain, ALineWithoutAnEndIsNotWaitedForForever) {
    Plain stream;
    const std::string out = stream.take(std::string(9000, 'x'));
    EXPECT_EQ(out.size(), 8000u);
}

// Where such a line is cut, no sign comes through in two halves, and no letter.
TEST(Plain, ALineWithoutAnEndIsCutBetweenLettersAndSigns) {
    for (const std::string& bit : {std::string("*"), std::string("_"), std::string("~"), std::string("é"), std::string("a/"), std::string("\\"), std::string("* ")}) {
        for (std::size_t before = 3990; before < 4002; ++before) {
            std::string text(before, 'x');
            while (text.size() < 8100) text += bit;
            Plain stream;
            std::string out = stream.take(text);
            EXPECT_TRUE(bit != "é" || (out.size() - before) % 2 == 0) << before;
            out += stream.finish();
            EXPECT_EQ(sign_in(out), "") << bit << before;
        }
    }
}

}  // namespace
}  // namespace agents::reply
