#include "agents/reply/silence.h"

#include <gtest/gtest.h>

namespace agents::reply {
namespace {

TEST(Silence, IsWhatNobodyCanSee) {
    for (const char* silent : {"", " ", "\n\t \r\n", "\u200B", "\u200B \u2060\uFEFF", "\u00A0", "\u2003\u3000", "\u00AD", "\u200E\u202E", "\u3164", "\u2800", "\u2028", "\u034F", "\uFE0F", "\x1b"})
        EXPECT_TRUE(is_silent(silent)) << silent;
    for (const char* said : {".", "a", " \u200B-", "0", "\U0001F44D\uFE0F", "\u3002", "\xff"}) EXPECT_FALSE(is_silent(said)) << said;
}

}  // namespace
}  // namespace agents::reply
