#include "tools/invoke.h"

#include <gtest/gtest.h>

namespace tools {
namespace {

TEST(CutMiddle, KeepsBothEndsAroundAVisibleMark) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += std::to_string(i) + "\n";
    const std::string cut = cut_middle(text, 300);
    EXPECT_TRUE(cut.starts_with("0\n1\n2\n"));
    EXPECT_TRUE(cut.ends_with("999\n"));
    EXPECT_NE(cut.find("bytes cut here"), std::string::npos);
    EXPECT_LT(cut.size(), 420u);
    EXPECT_EQ(cut_middle("short", 300), "short");
}

TEST(CutMiddle, NeverCutsACharacter) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "\xe2\x82\xac";  // €
    for (std::size_t max = 10; max < 60; ++max) {
        const std::string cut = cut_middle(text, max);
        EXPECT_EQ(base::Json(cut).dump(-1, ' ', false, base::Json::error_handler_t::strict).empty(), false) << max;
    }
}

}  // namespace
}  // namespace tools
