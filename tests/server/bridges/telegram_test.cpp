// What the answers of Telegram's API mean for a message that must not arrive twice, and how a long text is cut.
#include "server/bridges/telegram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fixtures.h"

using base::Json;
using End = store::Sending::End;
using server::bridges::sending_of;
using server::bridges::telegram_pieces;
using server::bridges::TelegramAnswer;
using namespace std::chrono_literals;

namespace {

TelegramAnswer answer(int status, const char* body) {
    TelegramAnswer out;
    out.status = status;
    if (auto json = base::parse_json(body)) out.body = *json;
    return out;
}

}  // namespace

TEST(TelegramSending, IsTriedAgainOnlyWhereItCannotHaveArrived) {
    const auto arrived = sending_of(answer(200, R"({"ok": true, "result": {"message_id": 77}})"));
    EXPECT_EQ(arrived.end, End::delivered);
    EXPECT_EQ(arrived.there, "77");
    const auto busy = sending_of(answer(429, R"({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 14", "parameters": {"retry_after": 14}})"));
    EXPECT_EQ(busy.end, End::again);
    EXPECT_EQ(busy.wait, 14s);
    EXPECT_EQ(sending_of(answer(429, "no JSON")).wait, 5s);
    const auto refused = sending_of(answer(403, R"({"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})"));
    EXPECT_EQ(refused.end, End::failed);
    EXPECT_EQ(refused.why, "Telegram says: Forbidden: bot was blocked by the user");
    const auto moved = sending_of(answer(400, R"({"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded", "parameters": {"migrate_to_chat_id": -1001234567890}})"));
    EXPECT_EQ(moved.end, End::again);
    EXPECT_EQ(moved.moved_to, "-1001234567890");
    EXPECT_EQ(sending_of(answer(400, R"({"ok": false, "description": "x", "parameters": {}})")).end, End::failed);
    EXPECT_EQ(sending_of(answer(401, R"({"ok": false, "description": "Unauthorized"})")).end, End::again) << "another token may come";
    for (const auto& [status, body] : {std::pair{500, "{}"}, {502, "<html>"}, {200, "<html>"}, {200, R"({"ok": false})"}, {302, ""}}) EXPECT_EQ(sending_of(answer(status, body)).end, End::unknown) << status << body;
    TelegramAnswer none;
    none.trouble = "it broke";
    EXPECT_EQ(sending_of(none).end, End::unknown);
    EXPECT_EQ(sending_of(none).why, "it broke");
    none.left = false;
    EXPECT_EQ(sending_of(none).end, End::again) << "nobody was reached";
}

TEST(TelegramSending, MeansByOthersAnswersWhatTheySay) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    int refused = 0;
    for (const Json& one : Json::parse(support::read_text(*vectors / "webhooks/telegram/api_responses.json"))) {
        const Json& response = one["response"];
        TelegramAnswer given;
        given.status = response.value("error_code", 200);
        given.body = response;
        const End expected = response["ok"] ? End::delivered : response["error_code"] == 429 ? End::again : End::failed;
        EXPECT_EQ(sending_of(given).end, expected) << response.dump();
        refused += expected == End::failed;
    }
    EXPECT_GE(refused, 3);
}

TEST(TelegramPieces, AreCutWhereItHurtsLeastAndLoseNothing) {
    EXPECT_THAT(telegram_pieces("  a text \n"), testing::ElementsAre("a text"));
    EXPECT_THAT(telegram_pieces(" \n "), testing::IsEmpty());
    const std::string first(3000, 'a'), second(2000, 'b');
    EXPECT_THAT(telegram_pieces(first + "\n\n" + second), testing::ElementsAre(first, second));
    EXPECT_THAT(telegram_pieces(first + " " + second), testing::ElementsAre(first, second));
    EXPECT_THAT(telegram_pieces(std::string(5000, 'x')), testing::ElementsAre(std::string(4096, 'x'), std::string(904, 'x')));
    EXPECT_THAT(telegram_pieces("ab " + std::string(5000, 'x')), testing::SizeIs(2)) << "not behind the first word";
}

TEST(TelegramPieces, AreMeasuredInUtf16AndNeverCutACharacter) {
    std::string smiles;
    for (int i = 0; i < 3000; ++i) smiles += "\xf0\x9f\x99\x82";
    const auto pieces = telegram_pieces(smiles);
    ASSERT_EQ(pieces.size(), 2u);
    EXPECT_EQ(pieces[0].size(), 2048u * 4) << "two units each";
    EXPECT_EQ(pieces[0] + pieces[1], smiles);
    std::string accents;
    for (int i = 0; i < 4097; ++i) accents += "\xc3\xa9";
    EXPECT_EQ(telegram_pieces(accents)[0].size(), 4096u * 2);
}
