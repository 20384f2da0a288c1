#include "app/line_diff.h"

#include <gtest/gtest.h>

#include <random>

namespace app {
namespace {

TEST(LineDiff, ShowsWhatChangedWithItsNeighbours) {
    const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n", after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\nten\n";
    EXPECT_EQ(diff_text(line_diff(before, after), 1), "…\n  4\n- 5\n+ five\n  6\n…\n  9\n+ ten\n");
    EXPECT_EQ(diff_text(line_diff(before, before)), "");
    EXPECT_EQ(diff_text(line_diff("", "a\n")), "+ a\n");
    EXPECT_EQ(diff_text(line_diff("a", "")), "- a\n");
}

// Both texts can be read back, and no line is moved that could stay.
TEST(LineDiff, HoldsBothTexts) {
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        std::string texts[2];
        for (auto& text : texts)
            for (unsigned n = random() % 12; n > 0; --n) text += std::string(1, char('a' + random() % 3)) + "\n";
        std::string first, second;
        for (const DiffLine& line : line_diff(texts[0], texts[1])) {
            if (line.sign != '+') first += line.text + "\n";
            if (line.sign != '-') second += line.text + "\n";
        }
        EXPECT_EQ(first, texts[0]);
        EXPECT_EQ(second, texts[1]);
    }
}

}  // namespace
}  // namespace app
