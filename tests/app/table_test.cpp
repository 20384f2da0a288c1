#include "app/table.h"

#include <gtest/gtest.h>

namespace app {
namespace {

TEST(Table, IsAsWideAsATerminalShowsItAndNotAsItsBytes) {
    EXPECT_EQ(display_width("Clara"), 5u);
    EXPECT_EQ(display_width("Élodie"), 6u);
    EXPECT_EQ(display_width("E\u0301lodie"), 6u) << "the accent as a character of its own";
    EXPECT_EQ(display_width("东京"), 4u);
    EXPECT_EQ(display_width("\xff"), 1u);
    EXPECT_EQ(display_width(""), 0u);
}

TEST(Table, ColumnsStandBelowEachOther) {
    Table table({"name", "role", "tone"});
    table.add({"Élodie", "guest", ""});
    table.add({"Jo", "member", "two\nlines"});
    table.add({"东京", "owner", "\x1b[2J"});
    EXPECT_EQ(table.text(), "name    role    tone\n"
                            "Élodie  guest\n"
                            "Jo      member  two lines\n"
                            "东京    owner   \\u001b[2J\n");
    EXPECT_EQ(Table().text(), "");
}

}  // namespace
}  // namespace app
