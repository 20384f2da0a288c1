// Which choices are a person's word, and on what.
#include "server/bridges/questions.h"

#include <gtest/gtest.h>

using server::bridges::word_of;

TEST(BridgeQuestions, AChoiceIsAWordOnOneApproval) {
    const std::string id = "01900000-0000-7000-8000-00000000002a";
    const auto grant = word_of("approval:" + id + ":grant"), deny = word_of("approval:" + id + ":deny");
    ASSERT_TRUE(grant && deny);
    EXPECT_TRUE(grant->grant);
    EXPECT_FALSE(deny->grant);
    EXPECT_EQ(grant->approval.text(), id);
    for (const std::string& wrong : std::vector<std::string>{"", "approval:", "approval:" + id, "approval:" + id + ":", "approval:x:grant", id + ":grant", "approval::grant", "approval:" + id + ":grant "}) EXPECT_FALSE(word_of(wrong)) << wrong;
}
