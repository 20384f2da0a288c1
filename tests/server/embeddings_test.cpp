// POST /v1/embeddings: OpenAI's shapes, its four kinds of input, and what is refused.
#include <gmock/gmock.h>

#include <cstring>

#include "site_test.h"
#include "store/digest.h"

namespace server::testing {
namespace {

using Embeddings = SiteTest;
using ::testing::HasSubstr;
constexpr const char* kPath = "/v1/embeddings";

Json asking(Json input, Json more = Json::object()) {
    Json body = {{"model", "default"}, {"input", std::move(input)}};
    body.update(more);
    return body;
}

TEST_F(Embeddings, AnswersInOpenAisShape) {
    Site site;
    const Json answer = site.ask("POST", kPath, asking("hello, friend")).json();
    EXPECT_EQ(answer["object"], "list");
    EXPECT_EQ(answer["model"], "default");
    ASSERT_EQ(answer["data"].size(), 1u);
    EXPECT_EQ(answer["data"][0]["object"], "embedding");
    EXPECT_EQ(answer["data"][0]["index"], 0);
    ASSERT_EQ(answer["data"][0]["embedding"].size(), 4u);
    EXPECT_EQ(answer["usage"], Json({{"prompt_tokens", 4}, {"total_tokens", 4}}));
}

TEST_F(Embeddings, TakesTextsAndTokensOneOrMany) {
    Site site;
    const Json one = site.ask("POST", kPath, asking("b")).json();
    const Json texts = site.ask("POST", kPath, asking(Json::array({"a", "b"}))).json();
    ASSERT_EQ(texts["data"].size(), 2u);
    EXPECT_EQ(texts["data"][1]["index"], 1);
    EXPECT_EQ(texts["data"][1]["embedding"], one["data"][0]["embedding"]);
    const Json tokens = site.ask("POST", kPath, asking(Json::array({1, 2, 3}))).json();
    ASSERT_EQ(tokens["data"].size(), 1u);
    EXPECT_EQ(tokens["usage"]["prompt_tokens"], 3);
    const Json lists = site.ask("POST", kPath, asking(Json::array({Json::array({1, 2, 3}), Json::array({4})}))).json();
    ASSERT_EQ(lists["data"].size(), 2u);
    EXPECT_EQ(lists["data"][0]["embedding"], tokens["data"][0]["embedding"]);
    EXPECT_EQ(lists["usage"]["total_tokens"], 4);
}

TEST_F(Embeddings, Base64IsOfLittleEndianFloats) {
    Site site;
    const Json numbers = site.ask("POST", kPath, asking("hello", {{"encoding_format", "float"}})).json()["data"][0]["embedding"];
    const Json text = site.ask("POST", kPath, asking("hello", {{"encoding_format", "base64"}})).json()["data"][0]["embedding"];
    std::string bytes;
    for (const float value : numbers.get<std::vector<float>>()) {
        char four[4];
        std::memcpy(four, &value, 4);
        bytes.append(four, 4);
    }
    EXPECT_EQ(text, store::base64(bytes));
}

TEST_F(Embeddings, WrongFieldsAreNamed) {
    Site site;
    const struct {
        Json body;
        const char *param, *says;
    } cases[] = {{{{"input", "a"}}, "model", "model"},
                 {{{"model", "default"}}, "input", "input is missing"},
                 {asking(""), "input", "is empty"},
                 {asking(Json::array()), "input", "is empty"},
                 {asking(Json::array({"a", ""})), "input", "input [1] is empty"},
                 {asking(Json::array({"a", Json::array({1})})), "input", "mixes texts and token ids"},
                 {asking(Json::array({1, -2})), "input", "input [0] is 1"},
                 {asking(Json::array({Json::array({1}), Json::array()})), "input", "input [1] is empty"},
                 {asking(7), "input", "input is 7"},
                 {asking(Json(std::vector<std::string>(2049, "a"))), "input", "has 2049 entries, at most 2048 are taken"},
                 {asking("a", {{"encoding_format", "hex"}}), "encoding_format", "must be float or base64"},
                 {asking("a", {{"dimensions", 0}}), "dimensions", "dimensions is 0"},
                 {asking("a", {{"truncate", "yes"}}), "truncate", "truncate"}};
    for (const auto& c : cases) {
        const Reply reply = site.ask("POST", kPath, c.body);
        EXPECT_EQ(reply.status, 400) << c.says;
        EXPECT_EQ(reply.param(), c.param) << c.says;
        EXPECT_THAT(reply.message(), HasSubstr(c.says));
    }
    const Reply unknown = site.ask("POST", kPath, {{"model", "big"}, {"input", "a"}});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown.code(), "model_not_found");
    const Reply ignored = site.ask("POST", kPath, asking("a", {{"user", "u"}, {"priority", 1}}));
    EXPECT_EQ(ignored.status, 200);
    EXPECT_EQ(ignored.headers.at("x-hearth-ignored-fields"), "priority");
    EXPECT_EQ(site.ask_as("", "POST", kPath, base::dump(asking("a"))).status, 401);
}

TEST_F(Embeddings, AreCountedWithoutWhatWasSaid) {
    Site site;
    const auto recorded = [&] {
        Json out = Json::array();
        const Json usage = site.ask("GET", "/v1/usage?calls=500", nullptr).json();
        for (const Json& call : usage["calls"])
            if (call["purpose"] == "embedding") out.push_back(call);
        return out;
    };
    const std::size_t before = recorded().size();
    ASSERT_EQ(site.ask("POST", kPath, asking("a secret text")).status, 200);
    const Json calls = recorded();
    ASSERT_EQ(calls.size(), before + 1);
    EXPECT_EQ(calls[0]["model"], "default");
    EXPECT_EQ(calls[0]["backend"], "scripted");
    EXPECT_EQ(calls[0]["prompt_tokens"], 4);
    EXPECT_EQ(calls[0]["output_tokens"], 0);
    EXPECT_EQ(calls[0]["finish_reason"], "stop");
    EXPECT_TRUE(calls[0]["run_id"].is_null());
    EXPECT_EQ(site.database->sql("select count(*) from model_usage m where m::text like '%secret%'"), "0");
    EXPECT_THAT(site.metrics.text(), HasSubstr("purpose=\"embedding\""));
    site.model->set_status({router::BackendStatus::State::loading, "weights", 0.5, ""});
    const Reply loading = site.ask("POST", kPath, asking("a"));
    EXPECT_EQ(loading.status, 503);
    EXPECT_EQ(loading.headers.at("retry-after"), "2");
    EXPECT_THAT(recorded()[0]["error"].get<std::string>(), HasSubstr("loading (weights, 50 %)"));
}

}  // namespace
}  // namespace server::testing
