#include "router/http_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/run_task.h"
#include "support/stub_server.h"

namespace router {
namespace {

using base::Code;
using namespace std::chrono_literals;
using support::StubReply;
using support::StubRequest;
using support::StubServer;
using testing::HasSubstr;

std::string event(const std::string& json) { return "data: " + json + "\n\n"; }
std::string piece(const std::string& delta, const std::string& finish = "null") {
    return event(R"({"model":"big-1","choices":[{"index":0,"delta":)" + delta + R"(,"finish_reason":)" + finish + "}]}");
}
const std::string kUsage = event(
    R"({"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":16}}})");
const std::string kDone = event("[DONE]");

StubReply replying(std::vector<std::string> chunks, int status = 200) {
    StubReply reply;
    reply.status = status;
    reply.chunks = std::move(chunks);
    return reply;
}

struct HttpBackendTest : testing::Test {
    net::HttpClient client;
    std::vector<ModelDelta> deltas;
    base::Json sent;          // the last request's body
    StubRequest asked;

    base::Result<ModelReply> generate(StubReply reply, ModelRequest request = hello(), DeltaSink sink = {}) {
        StubServer server([&](const StubRequest&) { return reply; });
        HttpBackend backend({"up", server.url("/v1"), "big", "sk-1"}, client);
        if (!sink) sink = [this](const ModelDelta& delta) { deltas.push_back(delta); };
        auto result = support::run_task(backend.generate(std::move(request), sink));
        asked = server.requests().at(0);
        sent = base::parse_json(asked.body).value();
        return result;
    }
    base::Result<EmbeddingReply> embed(StubReply reply, EmbeddingRequest request) {
        StubServer server([&](const StubRequest&) { return reply; });
        HttpBackend backend({"up", server.url("/v1"), "big", "sk-1"}, client);
        auto result = support::run_task(backend.embed(std::move(request)));
        asked = server.requests().at(0);
        sent = base::parse_json(asked.body).value();
        return result;
    }
    static EmbeddingRequest two_inputs() {
        EmbeddingRequest request;
        request.inputs = {"hello", std::vector<std::int32_t>{7, 9}};
        return request;
    }
    static ModelRequest hello() {
        ModelRequest request;
        request.messages = {Message::make(MessageRole::user, "hello")};
        request.max_tokens = 77;
        return request;
    }
};

TEST_F(HttpBackendTest, StreamsTextAndReasoningWithUsage) {
    auto chunks = replying({piece(R"({"role":"assistant","content":""})"), piece(R"({"reasoning_content":"hm"})"),
                            piece(R"({"content":"Good "})") + piece(R"({"content":"day"})"), piece("{}", "\"stop\""), kUsage, kDone});
    const auto reply = generate(chunks);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->message.text(), "Good day");
    EXPECT_EQ(reply->message.reasoning, "hm");
    EXPECT_EQ(reply->finish, FinishReason::stop);
    EXPECT_EQ(reply->usage.prompt_tokens, 20);
    EXPECT_EQ(reply->usage.cached_tokens, 16);
    EXPECT_EQ(reply->usage.output_tokens, 3);
    EXPECT_EQ(reply->backend, "up");
    EXPECT_EQ(reply->model, "big-1");
    ASSERT_EQ(deltas.size(), 3u);
    EXPECT_EQ(deltas[0].kind, ModelDelta::Kind::reasoning);
    EXPECT_EQ(deltas[1].text + deltas[2].text, "Good day");
    EXPECT_EQ(asked.target, "/v1/chat/completions");
    EXPECT_EQ(asked.header("authorization"), "Bearer sk-1");
    EXPECT_EQ(sent["model"], "big");
    EXPECT_EQ(sent["max_tokens"], 77);
    EXPECT_EQ(sent["stream"], true);
    EXPECT_EQ(sent["messages"][0]["content"], "hello");
    EXPECT_FALSE(sent.contains("tools"));
    EXPECT_FALSE(sent.contains("temperature"));
}

TEST_F(HttpBackendTest, PassesToolsOnAndJoinsCallsOutOfPieces) {
    ModelRequest request = hello();
    request.tools = {{"add", "Adds.", base::OrderedJson{{"type", "object"}}, true}, {"ask", "Asks.", base::OrderedJson{{"type", "object"}}}};
    request.tool_choice = {ToolChoice::Kind::named, "add", 1};
    request.response_schema = base::OrderedJson{{"type", "object"}};
    request.sampling.temperature = 0.5;
    const auto reply = generate(
        replying({piece(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"add","arguments":""}}]})"),
                  piece(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})"),
                  piece(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})"),
                  piece(R"({"tool_calls":[{"index":1,"id":"c2","function":{"name":"add","arguments":"{}"}}]})"),
                  piece("{}", "\"tool_calls\""), kDone}),
        request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->finish, FinishReason::tool_calls);
    ASSERT_EQ(reply->message.tool_calls.size(), 2u);
    EXPECT_EQ(reply->message.tool_calls[0].id, "c1");
    EXPECT_EQ(reply->message.tool_calls[0].arguments, R"({"a":1})");
    EXPECT_EQ(reply->message.tool_calls[1].id, "c2");
    EXPECT_EQ(deltas.at(0).kind, ModelDelta::Kind::tool_call_started);
    EXPECT_EQ(deltas.at(0).text, "add");
    EXPECT_EQ(deltas.at(0).tool_id, "c1");
    EXPECT_EQ(sent["tools"][0]["function"]["name"], "add");
    EXPECT_EQ(sent["tools"][0]["function"]["strict"], true);
    EXPECT_FALSE(sent["tools"][1]["function"].contains("strict"));
    EXPECT_EQ(sent["tool_choice"]["function"]["name"], "add");
    EXPECT_EQ(sent["parallel_tool_calls"], false);
    EXPECT_EQ(sent["response_format"]["json_schema"]["schema"]["type"], "object");
    EXPECT_EQ(sent["temperature"], 0.5);
}

TEST_F(HttpBackendTest, SortsRefusalsByWhatCanBeDone) {
    const std::string body = R"({"error":{"message":"because"}})";
    const std::pair<int, Code> table[] = {{429, Code::unavailable}, {500, Code::unavailable}, {503, Code::unavailable},
                                          {401, Code::permission_denied}, {403, Code::permission_denied},
                                          {404, Code::not_found}, {400, Code::invalid_argument}, {302, Code::not_found}};
    for (const auto& [status, code] : table) {
        const auto reply = generate(replying({body}, status));
        ASSERT_FALSE(reply) << status;
        EXPECT_EQ(reply.error().code, code) << status;
        EXPECT_THAT(reply.error().message, HasSubstr("because"));
        EXPECT_THAT(reply.error().message, HasSubstr("'up'"));
        if (code == Code::permission_denied) {
            EXPECT_THAT(reply.error().remedy, HasSubstr("upstream.key_file"));
        }
    }
    auto busy = replying({body}, 429);
    busy.headers = {{"Retry-After", "7"}};
    EXPECT_THAT(generate(busy).error().remedy, HasSubstr("7 s"));
    EXPECT_TRUE(deltas.empty());
}

TEST_F(HttpBackendTest, AKeyIsOpenedForEachCallAndToldToNobody) {
    std::weak_ptr<const base::SecretValue> alive;
    int opened = 0;
    const UpstreamKey::Open open = [&]() -> net::Task<base::Result<UpstreamKey::Held>> {
        std::string text = "key number " + std::to_string(++opened);
        const auto held = std::make_shared<const base::SecretValue>(base::SecretValue::take(text));
        alive = held;
        co_return held;
    };
    StubServer server([](const StubRequest& request) { return replying({R"({"error":{"message":"bad key ')" + request.header("authorization").substr(7) + R"('"}})"}, 401); });
    HttpBackend backend({"up", server.url("/v1"), "big", open}, client);
    for (int call = 1; call <= 2; ++call) {
        const auto reply = support::run_task(backend.generate(hello(), {}));
        EXPECT_EQ(server.requests().back().header("authorization"), "Bearer key number " + std::to_string(call));
        EXPECT_THAT(reply.error().text(), HasSubstr("bad key '[redacted: secret]'"));
        for (int i = 0; i < 5000 && !alive.expired(); ++i) std::this_thread::sleep_for(1ms);  // the transfer's own CPU thread ends it
        EXPECT_TRUE(alive.expired());  // wiped with the call
    }
}

TEST_F(HttpBackendTest, WithoutItsKeyItIsAsWhenItIsDown) {
    const UpstreamKey::Open open = []() -> net::Task<base::Result<UpstreamKey::Held>> { co_return base::error(Code::not_found, "there is no secret 'up'", "hearth secret set up"); };
    StubServer server([](const StubRequest&) { return replying({}); });
    HttpBackend backend({"up", server.url("/v1"), "big", open}, client);
    const auto reply = support::run_task(backend.generate(hello(), {}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_THAT(reply.error().message, HasSubstr("hearth secret set up"));
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpBackendTest, ReportsBrokenAndMeaninglessAnswers) {
    auto dropped = replying({piece(R"({"content":"Good "})")});
    dropped.drop = true;
    EXPECT_EQ(generate(dropped).error().code, Code::unavailable);
    EXPECT_EQ(generate(replying({piece(R"({"content":"Good "})")})).error().code, Code::unavailable);
    EXPECT_EQ(generate(replying({event(R"({"error":{"message":"overloaded"}})")})).error().code, Code::unavailable);
    for (const std::string garbage : {"<html>hi</html>", "data: {\n\n", "data: []\n\n", "data: {\"choices\":[7]}\n\n", "",
                                      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":5}]}}]}\n\n"}) {
        const auto reply = generate(replying({garbage}));
        ASSERT_FALSE(reply) << garbage;
        EXPECT_EQ(reply.error().code, Code::corrupt) << garbage;
        EXPECT_THAT(reply.error().message, HasSubstr("upstream 'up'")) << garbage;
        EXPECT_THAT(reply.error().remedy, HasSubstr("upstream.url"));
    }
}

TEST_F(HttpBackendTest, FailsAsUnavailableWithoutAServer) {
    std::string dead;
    {
        StubServer server([](const StubRequest&) { return StubReply{}; });
        dead = server.url("/v1");
    }
    HttpBackend backend({"up", dead, "big", ""}, client);
    const auto reply = support::run_task(backend.generate(hello(), {}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_THAT(reply.error().message, HasSubstr(dead));
    EXPECT_EQ(backend.status().state, BackendStatus::State::ready);
}

TEST_F(HttpBackendTest, KeepsWhatCameBeforeAStopOrADeadline) {
    auto slow = replying({piece(R"({"content":"Good "})"), piece(R"({"content":"day"})")});
    slow.chunk_delay = 20s;
    base::StopSource source;
    ModelRequest request = hello();
    request.stop = source.token();
    auto reply = generate(slow, request, [&](const ModelDelta&) { source.request_stop(); });
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->finish, FinishReason::cancelled);
    EXPECT_EQ(reply->message.text(), "Good ");
    request.stop = base::StopSource({}, std::chrono::steady_clock::now() + 150ms).token();
    reply = generate(slow, request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->finish, FinishReason::deadline);
}

TEST_F(HttpBackendTest, EmbedsInTheOrderOfTheInputs) {
    auto request = two_inputs();
    request.dimensions = 2;
    const auto reply = embed(replying({R"({"object":"list","model":"big-1","data":[{"index":1,"embedding":[0.5,-1]},{"index":0,"embedding":[3,4e-1]}],
                                          "usage":{"prompt_tokens":5,"total_tokens":5}})"}), request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->width, 2);
    EXPECT_EQ(reply->values, (std::vector<float>{3, 0.4f, 0.5f, -1}));
    EXPECT_EQ(reply->usage.prompt_tokens, 5);
    EXPECT_EQ(reply->backend, "up");
    EXPECT_EQ(reply->model, "big-1");
    EXPECT_EQ(asked.target, "/v1/embeddings");
    EXPECT_EQ(asked.header("authorization"), "Bearer sk-1");
    EXPECT_EQ(sent, base::Json::parse(R"({"model":"big","input":["hello",[7,9]],"encoding_format":"float","dimensions":2})"));
}

TEST_F(HttpBackendTest, AnAnswerThatIsNotOneVectorAnInputIsCorrupt) {
    const std::pair<const char*, const char*> answers[] = {
        {"<html>", "has no list of vectors"},
        {R"({"data":[]})", "has 0 vectors for 2 inputs"},
        {R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})", "an entry with the index 0"},
        {R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]})", "an entry with the index 2"},
        {R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]})", "vectors of 1 and of 2 numbers"},
        {R"({"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]})", "vectors of 0 and of 0 numbers"},
        {R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":["x"]}]})", "a vector with \"x\" in it"},
        {R"({"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":[1]}]})", "an entry without a list of numbers"}};
    for (const auto& [body, why] : answers) {
        const auto reply = embed(replying({body}), two_inputs());
        ASSERT_FALSE(reply) << body;
        EXPECT_EQ(reply.error().code, Code::corrupt);
        EXPECT_THAT(reply.error().message, HasSubstr(why));
        EXPECT_THAT(reply.error().message, HasSubstr("upstream 'up'"));
    }
}

TEST_F(HttpBackendTest, RefusedEmbeddingsSayWhatTheUpstreamSaid) {
    const auto reply = embed(replying({R"({"error":{"message":"no such dimensions","code":null}})"}, 400), two_inputs());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::invalid_argument);
    EXPECT_THAT(reply.error().message, HasSubstr("no such dimensions"));
    EXPECT_EQ(embed(replying({"busy"}, 503), two_inputs()).error().code, Code::unavailable);
}

}  // namespace
TEST_F(HttpBackendTest, RefusesALanguageThatUpstreamsCannotBeAskedFor) {
    HttpBackend backend({"up", "http://127.0.0.1:1/v1", "big", "sk-1"}, client);
    ModelRequest request = hello();
    request.response_rules = text::GivenRules{text::GivenRules::Kind::regex, {"[a-z]+"}};
    const auto refused = support::run_task(backend.generate(request, {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::unsupported) << refused.error().text();
    EXPECT_TRUE(refused.error().message.starts_with("response_format: ")) << refused.error().message;
}

}  // namespace router
