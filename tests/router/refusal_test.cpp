#include "router/refusal.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace router {
namespace {

using base::Code;
using namespace std::chrono_literals;
using Kind = RefusalKind;

const base::SteadyPoint kNow{1000h};
const base::TimePoint kWall = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10) + 9h;

net::HttpResponse answer(int status, std::string body, net::HttpHeaders headers = {}) { return {status, std::move(headers), std::move(body)}; }
Kind kind(int status, const std::string& body) { return read_refusal(answer(status, body), kNow, kWall).kind; }

// Bodies as the providers document or send them.
TEST(Refusal, TellsAProvidersTroubleFromABadRequest) {
    const std::tuple<int, const char*, Kind> table[] = {
        {400, R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}})", Kind::billing},
        {400, R"({"error":{"message":"Billing hard limit has been reached","type":"insufficient_quota","param":null,"code":"billing_hard_limit_reached"}})", Kind::billing},
        {402, R"({"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}})", Kind::billing},
        {402, "", Kind::billing},
        {429, R"({"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}})", Kind::billing},
        {429, R"({"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}})", Kind::rate_limit},
        {529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", Kind::overloaded},
        {500, "<html>oops</html>", Kind::overloaded},
        {503, R"({"error":"server busy, please try again.  maximum pending requests exceeded"})", Kind::overloaded},
        {408, "", Kind::overloaded},
        {401, R"({"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}})", Kind::key},
        {403, "", Kind::key},
        {404, R"({"error":"model 'big' not found"})", Kind::missing},
        {400, R"([{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}])", Kind::key},
        {400, R"({"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT"}})", Kind::key},
        {400, R"({"error":{"message":"The model `x` does not exist","type":"invalid_request_error","code":"model_not_found"}})", Kind::missing},
        {400, R"({"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"})", Kind::missing},
        {204, "", Kind::missing},
        {302, "", Kind::elsewhere},
        {400, R"({"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}})", Kind::context},
        {400, R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"}})", Kind::context},
        {413, "", Kind::context},
        {400, R"({"error":{"message":"Invalid value: 'purple'. Supported values are: 'system' and 'user'.","type":"invalid_request_error","code":"invalid_value"}})", Kind::request},
        {400, R"({"object":"error","message":"tools must be a list","type":"BadRequestError","code":400})", Kind::request},
        {400, R"({"error":{"message":"Unknown parameter: 'billing'.","type":"invalid_request_error","code":"unknown_parameter"}})", Kind::request},
        {400, R"([{"error":{"code":400,"message":"Invalid JSON payload received.","status":"INVALID_ARGUMENT"}}])", Kind::request},
        {422, "[]", Kind::request},
    };
    for (const auto& [status, body, expected] : table) EXPECT_EQ(int(kind(status, body)), int(expected)) << status << " " << body;
}

TEST(Refusal, OnlyTheRequestsOwnFaultsEndAChain) {
    for (Kind own : {Kind::billing, Kind::rate_limit, Kind::overloaded}) EXPECT_EQ(code_of(own), Code::unavailable);
    EXPECT_EQ(code_of(Kind::key), Code::permission_denied);
    EXPECT_EQ(code_of(Kind::missing), Code::not_found);
    EXPECT_EQ(code_of(Kind::context), Code::context_length_exceeded);
    EXPECT_EQ(code_of(Kind::request), Code::invalid_argument);
}

TEST(Refusal, ReadsHowLongToWait) {
    const auto wait = [](net::HttpHeaders headers) { return read_refusal(answer(429, "", std::move(headers)), kNow, kWall).not_before; };
    EXPECT_EQ(wait({}), std::nullopt);
    EXPECT_EQ(wait({{"retry-after", "7"}}), kNow + 7s);
    EXPECT_EQ(wait({{"retry-after", "Tue, 10 Mar 2026 09:00:30 GMT"}}), kNow + 30s);
    EXPECT_EQ(wait({{"retry-after", "Tue, 10 Mar 2026 08:00:00 GMT"}}), kNow) << "past already";
    EXPECT_EQ(wait({{"retry-after-ms", "1500"}, {"retry-after", "2"}}), kNow + 1500ms);
    EXPECT_EQ(wait({{"retry-after", "9223372036854775807"}}), kNow + 24h) << "nonsense is bounded";
    for (const char* nonsense : {"soon", "-3", "7.5", "99999999999999999999999"}) EXPECT_EQ(wait({{"retry-after", nonsense}}), std::nullopt) << nonsense;
}

TEST(Refusal, KeepsTheUpstreamsWords) {
    EXPECT_EQ(read_refusal(answer(400, R"({"error":{"message":"because"}})"), kNow, kWall).said, "because");
    EXPECT_EQ(read_refusal(answer(400, R"({"error":"because"})"), kNow, kWall).said, "because");
    EXPECT_EQ(read_refusal(answer(400, R"({"message":"because","code":400})"), kNow, kWall).said, "because");
    EXPECT_EQ(read_refusal(answer(400, R"([{"error":{"message":"because"}}])"), kNow, kWall).said, "because");
    EXPECT_EQ(read_refusal(answer(400, std::string(9999, 'x')), kNow, kWall).said, std::string(300, 'x'));
}

TEST(Refusal, APageInAnotherEncodingBecomesText) {
    EXPECT_EQ(read_refusal(answer(502, "<h1>Gateway nicht verf\xfcgbar</h1>"), kNow, kWall).said, "<h1>Gateway nicht verf\uFFFDgbar</h1>");
    for (std::string page : {"", "x"}) {
        for (int i = 0; i < 200; ++i) page += "ä";
        const std::string said = read_refusal(answer(502, page), kNow, kWall).said;
        EXPECT_EQ(said, base::valid_utf8(said));
        EXPECT_EQ(said.find("\uFFFD"), said.npos);
    }
}

TEST(Refusal, ErrorsInsideAStreamAreTheBackendsUnlessTheySayOtherwise) {
    EXPECT_EQ(int(kind_of_error("", "overloaded_error", "Overloaded")), int(Kind::overloaded));
    EXPECT_EQ(int(kind_of_error("", "", "an error was encountered while running the model: unexpected EOF")), int(Kind::overloaded));
    EXPECT_EQ(int(kind_of_error("", "authentication_error", "")), int(Kind::key));
    EXPECT_EQ(int(kind_of_error("", "invalid_request_error", "bad tool")), int(Kind::request));
    EXPECT_EQ(int(kind_of_error("rate_limit_exceeded", "", "")), int(Kind::rate_limit));
}

}  // namespace
}  // namespace router
