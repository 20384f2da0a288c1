// The code is drawn as cameras read it: modules at their places, dark and light the right way round, with a margin.
#include "app/qr.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace {

using Modules = std::vector<std::vector<bool>>;  // true: dark; with the margin

// Half blocks back to modules.
Modules modules_of(std::string_view text) {
    Modules out;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() + 1);
        line.remove_prefix(line.find('m') + 1);
        line = line.substr(0, line.find('\033'));
        std::vector<bool> upper, lower;
        while (!line.empty()) {
            const bool blank = line[0] == ' ';
            const std::string_view sign = line.substr(0, blank ? 1 : 3);
            line.remove_prefix(sign.size());
            upper.push_back(sign == "█" || sign == "▀");
            lower.push_back(sign == "█" || sign == "▄");
        }
        out.push_back(upper);
        out.push_back(lower);
    }
    return out;
}

// Rings of 7, 5 and 3 modules, by the standard at three of the four corners.
bool is_finder(const Modules& code, int x, int y) {
    for (int dy = 0; dy < 7; ++dy)
        for (int dx = 0; dx < 7; ++dx) {
            const int ring = std::max(std::abs(dx - 3), std::abs(dy - 3));
            if (code[y + dy][x + dx] != (ring != 2)) return false;
        }
    return true;
}

TEST(Qr, StandsAsItIsRead) {
    const std::string url = "https://192.168.1.5:8080/#link=GdIztF1gpPNK7oRdrrS9Z4MDwaB_Nv9Pp1mekdpC4XQ";
    const std::string drawn = app::qr_code(url);
    EXPECT_TRUE(drawn.starts_with("\033[30;107m")) << "black on white on any terminal";
    const Modules code = modules_of(drawn);
    const int margin = 2, width = int(code[0].size()) - 2 * margin;
    ASSERT_EQ(width, 4 * 4 + 17) << "version 4 holds 78 bytes at level L, version 3 only 53";
    ASSERT_GE(int(code.size()), width + 2 * margin);
    for (const int at : {0, 1, width + margin, width + margin + 1})
        for (int i = 0; i < width + 2 * margin; ++i) EXPECT_FALSE(code[at][i] || code[i][at]) << "the margin";
    EXPECT_TRUE(is_finder(code, margin, margin));
    EXPECT_TRUE(is_finder(code, margin + width - 7, margin));
    EXPECT_TRUE(is_finder(code, margin, margin + width - 7));
    for (int i = 8; i < width - 8; ++i) EXPECT_EQ(code[margin + 6][margin + i], i % 2 == 0) << "the timing pattern";
}

TEST(Qr, DiffersWithWhatItSays) { EXPECT_NE(app::qr_code("https://a.example/#link=a"), app::qr_code("https://a.example/#link=b")); }

TEST(Qr, IsNoneOfWhatIsTooLong) { EXPECT_EQ(app::qr_code(std::string(4000, 'x')), ""); }

}  // namespace
