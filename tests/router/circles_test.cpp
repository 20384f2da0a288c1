#include "router/circles.h"

#include <gtest/gtest.h>

#include <random>

namespace router {
namespace {

// How many bytes are read until a circle is seen; 0: none is.
std::size_t seen_after(const std::string& text, std::size_t piece) {
    Circles circles;
    for (std::size_t at = 0; at < text.size(); at += piece)
        if (circles.feed(text.substr(at, piece))) return std::min(text.size(), at + piece);
    return 0;
}

std::string times(const std::string& passage, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += passage;
    return out;
}

// Letters without any order.
std::string prose(std::size_t bytes, unsigned seed) {
    std::mt19937 random(seed);
    std::string out;
    while (out.size() < bytes) out += char('a' + random() % 26);
    return out;
}

TEST(Circles, AreSeenWhateverThePassageAndThePieces) {
    for (const std::size_t length : {1, 7, 40, 173, 500})
        for (const std::size_t piece : {1, 3, 64}) {
            const std::string before = prose(3000, 1), text = before + times(prose(length, 2), int(6000 / length) + 1);
            const std::size_t after = seen_after(text, piece);
            EXPECT_GT(after, before.size()) << length;
            EXPECT_LE(after, before.size() + std::max<std::size_t>(600, 4 * length) + length + 96) << length;
        }
}

TEST(Circles, AreSeenInAListOfOneItem) {
    for (const char* mark : {". ", ") "})
        for (const std::size_t piece : {1, 3, 64}) {
            std::string list = prose(500, 7) + "\n";
            for (int i = 1; i < 60; ++i) list += "  " + std::to_string(i) + mark + "Tea is brewed in the evening.\n";
            EXPECT_GT(seen_after(list, piece), 1100u) << mark << piece;
        }
}

TEST(Circles, AreNoneInWhatOnlyLooksAlike) {
    EXPECT_EQ(seen_after(prose(20000, 3), 5), 0u);
    EXPECT_EQ(seen_after("| a | b |\n" + times("-", 500) + "\nand so on" + prose(2000, 4), 5), 0u) << "a rule";
    EXPECT_EQ(seen_after(times(prose(450, 5), 4) + prose(2000, 6), 5), 0u) << "a refrain";
    std::string list;
    for (int i = 0; i < 200; ++i) list += "- photo_" + std::to_string(1000 + i) + ".jpg, 12 bytes\n";
    EXPECT_EQ(seen_after(list, 5), 0u) << "a list of numbered things";
    std::string table;
    for (int i = 0; i < 400; ++i) table += std::to_string(i) + " squared is " + std::to_string(i * i) + "\n" + std::to_string(i) + ". line " + std::to_string(i * 7) + "\n";
    EXPECT_EQ(seen_after(table, 5), 0u);
    EXPECT_EQ(seen_after("", 5), 0u);
}

}  // namespace
}  // namespace router
