#include "base/split.h"

#include <gtest/gtest.h>

namespace base {
namespace {

using Parts = std::vector<std::string>;

TEST(Split, LeavesOutEmptyParts) {
    EXPECT_EQ(split("", ','), Parts{});
    EXPECT_EQ(split(",,", ','), Parts{});
    EXPECT_EQ(split("chat", ','), Parts{"chat"});
    EXPECT_EQ(split(",chat,,dev,", ','), (Parts{"chat", "dev"}));
    EXPECT_EQ(split("a b,c", ','), (Parts{"a b", "c"}));
}

}  // namespace
}  // namespace base
