// Who may deliver: by secrets that others' handshakes have.
#include "server/bridges/webhooks.h"

#include <gtest/gtest.h>

#include "support/fixtures.h"

using base::Json;
using server::bridges::same_secret;

TEST(WebhookSecret, IsTheWholeAndNothingElse) {
    EXPECT_TRUE(same_secret("s3cr3t_A-1", "s3cr3t_A-1"));
    for (const char* sent : {"", "s", "s3cr3t_A-", "s3cr3t_A-2", "s3cr3t_A-1 ", "S3CR3T_A-1", "s3cr3t_A-1s3cr3t_A-1"}) EXPECT_FALSE(same_secret(sent, "s3cr3t_A-1")) << sent;
}

TEST(WebhookSecret, JudgesOthersHandshakesAsTheyDo) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    int accepted = 0, refused = 0;
    const Json all = Json::parse(support::read_text(*vectors / "webhooks/handshakes.json"));
    for (const Json& one : all["telegram_secret_token"]) {
        EXPECT_EQ(one.value("header", "X-Telegram-Bot-Api-Secret-Token"), "X-Telegram-Bot-Api-Secret-Token");
        const std::string sent = one["sent"].is_null() ? "" : one["sent"].get<std::string>();
        EXPECT_EQ(same_secret(sent, one["configured"].get<std::string>()), one["accept"].get<bool>()) << one.dump();
        ++(one["accept"].get<bool>() ? accepted : refused);
    }
    EXPECT_GE(accepted, 1);
    EXPECT_GE(refused, 4);
}
