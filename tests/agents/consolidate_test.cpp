#include "agents/consolidate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agents {
namespace {

TEST(Episode, AReplyIsReadOrRefused) {
    const auto text = parse_episode(R"({"summary": "The boat is to be green.", "keywords": ["boat", "paint"]})");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->summary, "The boat is to be green.");
    EXPECT_EQ(text->keywords, "boat, paint");
    for (const char* reply : {"", "All is well.", "[]", "{}", R"({"summary": 3})", R"({"summary": "  ", "keywords": []})", R"({"summary": "x", "keywords": "y"})", R"({"summary": "x", "keywords": [1]})",
                              R"({"summary": "The boat)"})
        EXPECT_FALSE(parse_episode(reply)) << reply;
}

}  // namespace
}  // namespace agents
