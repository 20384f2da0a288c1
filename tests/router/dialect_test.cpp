// The dialects of upstreams over real HTTP: what they are sent, and what is read out of their answers.
#include "router/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "router/http_backend.h"
#include "support/run_task.h"
#include "support/stub_server.h"

namespace router {
namespace {

using base::Code;
using base::Json;
using namespace std::chrono_literals;
using support::StubReply;
using support::StubRequest;
using support::StubServer;
using testing::HasSubstr;

StubReply replying(const std::string& body, int status = 200) {
    StubReply reply;
    reply.status = status;
    reply.chunks = {body};
    return reply;
}

struct DialectTest : testing::Test {
    net::HttpClient client;
    const char* dialect = "anthropic";
    std::vector<ModelDelta> deltas;
    StubRequest asked;
    Json sent;

    base::Result<ModelReply> generate(StubReply reply, ModelRequest request = talk()) {
        StubServer server([&](const StubRequest&) { return reply; });
        HttpBackend backend(options(server.url("")), client);
        deltas.clear();
        auto result = support::run_task(backend.generate(std::move(request), [this](const ModelDelta& delta) { deltas.push_back(delta); }));
        asked = server.requests().at(0);
        sent = base::parse_json(asked.body).value();
        return result;
    }
    HttpBackendOptions options(const std::string& url) {
        HttpBackendOptions out{"up", url, "big", "sk-1"};
        out.dialect = find_dialect(dialect);
        out.context = 16384;
        out.section = "upstreams.up";
        return out;
    }
    // The same answer in every split of it into two.
    void for_all_splits(const std::string& body, const std::function<void(const base::Result<ModelReply>&)>& check) {
        for (std::size_t at = 1; at < body.size(); at += 7) {
            auto reader = find_dialect(dialect)->reader(talk(), {});
            auto taken = reader->feed(body.substr(0, at));
            if (taken) taken = reader->feed(body.substr(at));
            ASSERT_TRUE(taken) << at << ": " << taken.error().text();
            ASSERT_TRUE(reader->end());
            ASSERT_TRUE(reader->finished()) << at;
            check(std::move(*reader).reply());
        }
    }
    std::string joined(ModelDelta::Kind kind) const {
        std::string out;
        for (const auto& delta : deltas)
            if (delta.kind == kind) out += delta.text;
        return out;
    }
    static ModelRequest talk() {
        ModelRequest request;
        request.messages = {Message::make(MessageRole::system, "Be brief."), Message::make(MessageRole::user, "add 1 and 2"), {}, {}, {}, Message::make(MessageRole::user, "and?")};
        Message& call = request.messages[2];
        call = Message::make(MessageRole::assistant, "I add.");
        call.tool_calls = {{"c1", "add", R"({"a":1,"b":2})"}, {"c2", "add", "not json"}};
        for (int i : {3, 4}) {
            request.messages[i] = Message::make(MessageRole::tool, i == 3 ? "3" : "");
            request.messages[i].tool_call_id = i == 3 ? "c1" : "c2";
        }
        request.tools = {{"add", "Adds.", base::OrderedJson{{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}}}}}};
        request.max_tokens = 77;
        request.sampling.temperature = 1.5;
        request.sampling.top_k = 20;
        request.stop_texts = {"END"};
        return request;
    }
};

std::string event(const std::string& type, const std::string& fields) {
    return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + (fields.empty() ? "" : "," + fields) + "}\n\n";
}
const std::string kStart = event("message_start", R"("message":{"id":"msg_1","type":"message","role":"assistant","model":"big-2","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":5,"cache_read_input_tokens":70,"output_tokens":1}})");
const std::string kEnd = event("message_stop", "");
std::string ended(const std::string& reason) {
    return event("message_delta", R"("delta":{"stop_reason":")" + reason + R"(","stop_sequence":null},"usage":{"output_tokens":15})") + kEnd;
}
const std::string kText = event("content_block_start", R"("index":0,"content_block":{"type":"text","text":""})") + event("ping", "") +
                          event("content_block_delta", R"("index":0,"delta":{"type":"text_delta","text":"Good "})") +
                          event("content_block_delta", R"("index":0,"delta":{"type":"text_delta","text":"day"})") + event("content_block_stop", "\"index\":0");

TEST_F(DialectTest, AnthropicIsSentWhatItsApiTakes) {
    ModelRequest request = talk();
    request.tool_choice = {ToolChoice::Kind::required, "", 0};
    ASSERT_TRUE(generate(replying(kStart + kText + ended("end_turn")), request));
    EXPECT_EQ(asked.target, "/messages");
    EXPECT_EQ(asked.header("x-api-key"), "sk-1");
    EXPECT_EQ(asked.header("anthropic-version"), "2023-06-01");
    EXPECT_EQ(asked.header("authorization"), "");
    EXPECT_EQ(sent, Json::parse(R"({"model":"big","max_tokens":77,"system":"Be brief.","stream":true,"stop_sequences":["END"],"temperature":1.0,"top_k":20,
        "messages":[{"role":"user","content":[{"type":"text","text":"add 1 and 2"}]},
                    {"role":"assistant","content":[{"type":"text","text":"I add."},{"type":"tool_use","id":"c1","name":"add","input":{"a":1,"b":2}},{"type":"tool_use","id":"c2","name":"add","input":{}}]},
                    {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"3"},{"type":"tool_result","tool_use_id":"c2"},{"type":"text","text":"and?"}]}],
        "tools":[{"name":"add","description":"Adds.","input_schema":{"type":"object","properties":{"a":{"type":"integer"}}}}],
        "tool_choice":{"type":"any","disable_parallel_tool_use":true}})"));
    for (const auto& [choice, expected] : {std::pair<ToolChoice, const char*>{{ToolChoice::Kind::automatic, "", 0}, R"({"type":"auto"})"},
                                           {{ToolChoice::Kind::none, "", 0}, R"({"type":"none"})"},
                                           {{ToolChoice::Kind::named, "add", 1}, R"({"type":"tool","name":"add","disable_parallel_tool_use":true})"}}) {
        request.tool_choice = choice;
        ASSERT_TRUE(generate(replying(kStart + kText + ended("end_turn")), request));
        EXPECT_EQ(sent["tool_choice"], Json::parse(expected));
    }
}

TEST_F(DialectTest, AnthropicStreamsThoughtsTextAndCalls) {
    const std::string body = kStart + event("content_block_start", R"("index":0,"content_block":{"type":"thinking","thinking":""})") +
                             event("content_block_delta", R"("index":0,"delta":{"type":"thinking_delta","thinking":"hm"})") +
                             event("content_block_delta", R"("index":0,"delta":{"type":"signature_delta","signature":"xyz"})") + event("content_block_stop", "\"index\":0") +
                             event("content_block_start", R"("index":1,"content_block":{"type":"text","text":""})") +
                             event("content_block_delta", R"("index":1,"delta":{"type":"text_delta","text":"I add."})") +
                             event("content_block_start", R"("index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"add","input":{}})") +
                             event("content_block_delta", R"("index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1"})") +
                             event("content_block_delta", R"("index":2,"delta":{"type":"input_json_delta","partial_json":"}"})") +
                             event("content_block_start", R"("index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"add","input":{}})") +
                             event("some_later_event", "\"x\":1") + ended("tool_use");
    const auto check = [&](const base::Result<ModelReply>& reply) {
        ASSERT_TRUE(reply) << reply.error().text();
        EXPECT_EQ(reply->message.text(), "I add.");
        EXPECT_EQ(reply->message.reasoning, "hm");
        ASSERT_EQ(reply->message.tool_calls.size(), 2u);
        EXPECT_EQ(reply->message.tool_calls[0].id, "toolu_1");
        EXPECT_EQ(reply->message.tool_calls[0].arguments, R"({"a": 1})");
        EXPECT_EQ(reply->message.tool_calls[1].arguments, "{}");
        EXPECT_EQ(reply->finish, FinishReason::tool_calls);
        EXPECT_EQ(reply->model, "big-2");
        EXPECT_EQ(reply->usage.prompt_tokens, 100);
        EXPECT_EQ(reply->usage.cached_tokens, 70);
        EXPECT_EQ(reply->usage.output_tokens, 15);
    };
    check(generate(replying(body)));
    EXPECT_EQ(joined(ModelDelta::Kind::content), "I add.");
    EXPECT_EQ(joined(ModelDelta::Kind::tool_arguments), R"({"a": 1})");
    for_all_splits(body, check);
}

TEST_F(DialectTest, AnthropicEndsForManyReasons) {
    for (const auto& [reason, finish] : {std::pair{"end_turn", FinishReason::stop}, {"stop_sequence", FinishReason::stop}, {"max_tokens", FinishReason::length},
                                         {"model_context_window_exceeded", FinishReason::length}, {"refusal", FinishReason::stop}, {"pause_turn", FinishReason::stop}})
        EXPECT_EQ(generate(replying(kStart + kText + ended(reason)))->finish, finish) << reason;
}

TEST_F(DialectTest, AnthropicGivesAnswersOfASchemaAsAToolsInput) {
    ModelRequest request = talk();
    request.tools = {};
    request.response_schema = base::OrderedJson{{"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}};
    const std::string body = kStart + event("content_block_start", R"("index":0,"content_block":{"type":"tool_use","id":"t","name":"give_answer","input":{}})") +
                             event("content_block_delta", R"("index":0,"delta":{"type":"input_json_delta","partial_json":"{\"n\": 3}"})") + ended("tool_use");
    const auto reply = generate(replying(body), request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->message.text(), R"({"n": 3})");
    EXPECT_TRUE(reply->message.tool_calls.empty());
    EXPECT_EQ(reply->finish, FinishReason::stop);
    EXPECT_EQ(sent["tools"][0]["input_schema"]["properties"]["n"]["type"], "integer");
    EXPECT_EQ(sent["tool_choice"], Json::parse(R"({"type":"any","disable_parallel_tool_use":true})"));
    request.response_schema = base::OrderedJson{{"type", "array"}};
    HttpBackend backend(options("http://127.0.0.1:1"), client);
    EXPECT_EQ(support::run_task(backend.generate(request, {})).error().code, Code::unsupported);
}

TEST_F(DialectTest, AnthropicGoesOnFromAnAnswerThatHasBegun) {
    ModelRequest request = talk();
    request.begun = "The sum";
    ASSERT_TRUE(generate(replying(kStart + kText + ended("end_turn")), request));
    EXPECT_EQ(sent["messages"].back(), Json::parse(R"({"role":"assistant","content":"The sum"})"));
    HttpBackend backend(options("http://127.0.0.1:1"), client);
    EXPECT_TRUE(backend.capabilities().continues);
}

TEST_F(DialectTest, AnthropicMayAnswerWithoutStreaming) {
    const auto reply = generate(replying(R"({"id":"m","type":"message","role":"assistant","model":"big-2","content":[{"type":"text","text":"Good day"},
        {"type":"tool_use","id":"t","name":"add","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":9,"output_tokens":4}})"));
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->message.text(), "Good day");
    EXPECT_EQ(reply->message.tool_calls.at(0).arguments, R"({"a":1})");
    EXPECT_EQ(reply->usage.prompt_tokens, 9);
}

TEST_F(DialectTest, AnthropicsErrorsAreSorted) {
    const auto code = [&](StubReply reply) {
        const auto answer = generate(std::move(reply));
        EXPECT_FALSE(answer);
        return answer ? Code::internal : answer.error().code;
    };
    EXPECT_EQ(code(replying(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", 529)), Code::unavailable);
    EXPECT_EQ(code(replying(R"({"type":"error","error":{"type":"invalid_request_error","message":"messages: roles must alternate"}})", 400)), Code::invalid_argument);
    EXPECT_EQ(code(replying(R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}})", 400)), Code::unavailable);
    EXPECT_EQ(code(replying(R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})", 401)), Code::permission_denied);
    EXPECT_EQ(code(replying(kStart + kText + event("error", R"("error":{"type":"overloaded_error","message":"Overloaded"})"))), Code::unavailable);
    EXPECT_EQ(joined(ModelDelta::Kind::content), "Good day");
    EXPECT_EQ(code(replying(kStart + kText)), Code::unavailable) << "cut after a whole block";
    EXPECT_EQ(code(replying("<html>hi</html>")), Code::corrupt);
    EXPECT_EQ(code(replying("data: 7\n\n")), Code::corrupt);
    EXPECT_EQ(code(replying(event("content_block_delta", R"("index":0,"delta":{"type":"text_delta","text":"x"})"))), Code::corrupt) << "a piece of nothing";
    EXPECT_EQ(code(replying(kStart + event("content_block_start", R"("index":0,"content_block":{"type":"tool_use","id":"t"})"))), Code::corrupt) << "a call without a name";
    StubReply dropped = replying(kStart + kText);
    dropped.drop = true;
    EXPECT_EQ(code(dropped), Code::unavailable);
}

const std::string kLines = R"({"model":"big:7b","created_at":"2026-03-10T09:00:00Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false})"
                           "\n"
                           R"({"model":"big:7b","message":{"role":"assistant","content":"Good "},"done":false})"
                           "\n"
                           R"({"model":"big:7b","message":{"role":"assistant","content":"day"},"done":false})"
                           "\n";
std::string last_line(const std::string& reason) { return R"({"model":"big:7b","message":{"role":"assistant","content":""},"done":true,"done_reason":")" + reason + R"(","total_duration":5,"prompt_eval_count":26,"eval_count":7})" "\n"; }

TEST_F(DialectTest, OllamaIsSentWhatItsApiTakes) {
    dialect = "ollama";
    ModelRequest request = talk();
    request.enable_thinking = false;
    request.response_schema = base::OrderedJson{{"type", "object"}};
    request.sampling.seed = 7;
    ASSERT_TRUE(generate(replying(kLines + last_line("stop")), request));
    EXPECT_EQ(asked.target, "/api/chat");
    EXPECT_EQ(asked.header("authorization"), "Bearer sk-1");
    EXPECT_EQ(sent, Json::parse(R"({"model":"big","stream":true,"think":false,"format":{"type":"object"},
        "messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"add 1 and 2"},
                    {"role":"assistant","content":"I add.","tool_calls":[{"id":"c1","function":{"name":"add","arguments":{"a":1,"b":2}}},{"id":"c2","function":{"name":"add","arguments":{}}}]},
                    {"role":"tool","content":"3","tool_name":"add","tool_call_id":"c1"},{"role":"tool","content":"","tool_name":"add","tool_call_id":"c2"},
                    {"role":"user","content":"and?"}],
        "tools":[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],
        "options":{"num_predict":77,"num_ctx":16384,"temperature":1.5,"top_k":20,"seed":7,"stop":["END"]}})"));
    request.tool_choice.kind = ToolChoice::Kind::none;
    request.begun = "The sum";
    ASSERT_TRUE(generate(replying(kLines + last_line("stop")), request));
    EXPECT_FALSE(sent.contains("tools"));
    EXPECT_EQ(sent["messages"].back(), Json::parse(R"({"role":"assistant","content":"The sum"})"));
}

TEST_F(DialectTest, OllamaStreamsThoughtsTextAndCalls) {
    dialect = "ollama";
    const std::string calls = R"({"model":"big:7b","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"add","arguments":{"a":1}}},{"id":"c9","function":{"index":1,"name":"add","arguments":{}}}]},"done":false})" "\n";
    const auto check = [&](const base::Result<ModelReply>& reply) {
        ASSERT_TRUE(reply) << reply.error().text();
        EXPECT_EQ(reply->message.text(), "Good day");
        EXPECT_EQ(reply->message.reasoning, "hm");
        ASSERT_EQ(reply->message.tool_calls.size(), 2u);
        EXPECT_EQ(reply->message.tool_calls[0].arguments, R"({"a":1})");
        EXPECT_FALSE(reply->message.tool_calls[0].id.empty());
        EXPECT_EQ(reply->message.tool_calls[1].id, "c9");
        EXPECT_EQ(reply->finish, FinishReason::tool_calls);
        EXPECT_EQ(reply->model, "big:7b");
        EXPECT_EQ(reply->usage.prompt_tokens, 26);
        EXPECT_EQ(reply->usage.output_tokens, 7);
    };
    check(generate(replying(kLines + calls + last_line("stop"))));
    for_all_splits(kLines + calls + last_line("stop"), check);
    EXPECT_EQ(generate(replying(kLines + last_line("length")))->finish, FinishReason::length);
    const std::string whole = R"({"model":"big:7b","message":{"role":"assistant","content":"Good day"},"done":true,"done_reason":"stop"})";
    EXPECT_EQ(generate(replying(whole))->message.text(), "Good day") << "not streamed, without a line's end";
}

TEST_F(DialectTest, OllamasErrorsAreSorted) {
    dialect = "ollama";
    const auto code = [&](StubReply reply) {
        const auto answer = generate(std::move(reply));
        EXPECT_FALSE(answer);
        return answer ? Code::internal : answer.error().code;
    };
    EXPECT_EQ(code(replying(R"({"error":"model 'big' not found"})", 404)), Code::not_found);
    EXPECT_EQ(code(replying(R"({"error":"\"big\" does not support tools"})", 400)), Code::invalid_argument);
    EXPECT_EQ(code(replying(R"({"error":"server busy, please try again.  maximum pending requests exceeded"})", 503)), Code::unavailable);
    EXPECT_EQ(code(replying(kLines + R"({"error":"an error was encountered while running the model: unexpected EOF"})" "\n")), Code::unavailable);
    EXPECT_EQ(code(replying(kLines)), Code::unavailable) << "cut between lines";
    EXPECT_EQ(code(replying(kLines + R"({"model":"big:7b","mess)")), Code::unavailable) << "cut within a line";
    EXPECT_EQ(code(replying("<html>hi</html>")), Code::corrupt);
    EXPECT_EQ(code(replying("[]\n")), Code::corrupt);
    EXPECT_EQ(code(replying(R"({"model":"big","response":"the other route's shape","done":false})" "\n")), Code::corrupt);
    EXPECT_EQ(code(replying(R"({"message":{"tool_calls":[{"function":{}}]}})" "\n")), Code::corrupt);
    EXPECT_EQ(code(replying(std::string(5 << 20, 'x'))), Code::corrupt) << "a line without an end";
}

TEST_F(DialectTest, OpenaiMayAnswerWithoutStreamingAndGoOnWhereItIsSaidTo) {
    dialect = "openai";
    ModelRequest request = talk();
    request.begun = "The sum";
    const auto reply = generate(replying(R"({"id":"c","object":"chat.completion","model":"big-1","choices":[{"index":0,"message":{"role":"assistant","content":"Good day"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4}})"), request);
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->message.text(), "Good day");
    EXPECT_EQ(reply->usage.prompt_tokens, 9);
    EXPECT_EQ(sent["messages"].back()["content"], "The sum");
    EXPECT_EQ(sent["continue_final_message"], true);
    EXPECT_EQ(sent["add_generation_prompt"], false);
    HttpBackendOptions able = options("http://127.0.0.1:1");
    EXPECT_FALSE(HttpBackend(able, client).capabilities().continues);
    able.continues = true;
    EXPECT_TRUE(HttpBackend(able, client).capabilities().continues);
}

// Bytes that were changed at random: nothing crashes, no reply grows beyond its bytes, and the outcome does not depend on how they arrive.
TEST_F(DialectTest, WhateverComesIsReadTheSameInAnySplit) {
    const std::string bodies[][2] = {
        {"anthropic", kStart + kText + event("content_block_start", R"("index":2,"content_block":{"type":"tool_use","id":"t1","name":"add","input":{}})") +
                          event("content_block_delta", R"("index":2,"delta":{"type":"input_json_delta","partial_json":"{}"})") + ended("tool_use")},
        {"ollama", kLines + last_line("stop")},
        {"openai", "data: {\"choices\":[{\"delta\":{\"content\":\"hi\",\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"}};
    const auto outcome = [](const std::string& name, const std::vector<std::string_view>& pieces) {
        auto reader = find_dialect(name)->reader(talk(), {});
        for (const auto piece : pieces)
            if (auto taken = reader->feed(piece); !taken) return std::string(base::name(taken.error().code));
        if (auto ended = reader->end(); !ended) return std::string(base::name(ended.error().code));
        std::string out = reader->finished() ? "whole: " : reader->started() ? "cut: " : "nothing: ";
        const ModelReply reply = std::move(*reader).reply();
        out += reply.message.text() + "|" + reply.message.reasoning;
        for (const auto& call : reply.message.tool_calls) out += "|" + call.name + call.arguments;
        return out;
    };
    for (const auto& [name, body] : bodies)
        for (unsigned seed = 0; seed < 3000; ++seed) {
            std::mt19937 random(seed);
            std::string changed = body;
            for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
                const std::size_t at = random() % changed.size();
                switch (random() % 4) {
                    case 0: changed[at] = char(random()); break;
                    case 1: changed.erase(at, random() % 20); break;
                    case 2: changed.insert(at, body.substr(random() % body.size(), random() % 40)); break;
                    default: changed[at] = "{}[]\",:0n\n"[random() % 10];
                }
                if (changed.empty()) changed = "x";
            }
            const std::size_t first = random() % (changed.size() + 1), second = first + random() % (changed.size() - first + 1);
            const std::string_view view = changed;
            const std::string whole = outcome(name, {view});
            EXPECT_EQ(outcome(name, {view.substr(0, first), view.substr(first, second - first), view.substr(second)}), whole) << name << " " << seed;
            EXPECT_LE(whole.size(), 2 * changed.size() + 64) << name << " " << seed;
        }
}

TEST_F(DialectTest, ImagesAreRefusedByName) {
    ModelRequest request = talk();
    request.messages[5].parts.push_back({Part::Kind::image, "", "image/png", "digest"});
    for (const char* name : {"openai", "anthropic", "ollama"}) {
        dialect = name;
        HttpBackend backend(options("http://127.0.0.1:1"), client);
        const auto reply = support::run_task(backend.generate(request, {}));
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, Code::unsupported);
        EXPECT_THAT(reply.error().message, HasSubstr("messages[5] holds an image"));
        EXPECT_THAT(reply.error().message, HasSubstr(name));
    }
}

TEST_F(DialectTest, SilenceEndsACall) {
    StubReply slow = replying(kStart);
    slow.chunks.push_back(kText);
    slow.chunk_delay = 20s;
    StubServer server([&](const StubRequest&) { return slow; });
    HttpBackendOptions impatient = options(server.url(""));
    impatient.silence_timeout = 1s;
    HttpBackend backend(impatient, client);
    const auto began = std::chrono::steady_clock::now();
    const auto reply = support::run_task(backend.generate(talk(), {}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(DialectTest, LooksAskForNoModelsAnswer) {
    for (const auto& [name, target] : {std::pair{"openai", "/models"}, {"anthropic", "/models"}, {"ollama", "/api/version"}}) {
        dialect = name;
        for (const auto& [status, fine] : {std::pair{200, true}, {404, true}, {500, true}, {401, false}}) {
            StubServer server([&, status = status](const StubRequest&) { return replying("{}", status); });
            HttpBackend backend(options(server.url("")), client);
            EXPECT_EQ(support::run_task(backend.look()).ok(), fine) << name << " " << status;
            EXPECT_EQ(server.requests().at(0).method, "GET");
            EXPECT_EQ(server.requests().at(0).target, target);
        }
    }
    HttpBackend nowhere(options("http://127.0.0.1:1"), client);
    EXPECT_EQ(support::run_task(nowhere.look()).error().code, Code::unavailable);
}

TEST_F(DialectTest, RetryAfterIsRemembered) {
    StubReply busy = replying("{}", 429);
    busy.headers = {{"Retry-After", "7"}};
    StubServer server([&](const StubRequest&) { return busy; });
    HttpBackend backend(options(server.url("")), client);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(support::run_task(backend.generate(talk(), {})));
    EXPECT_GE(backend.not_before(), before + 7s);
    EXPECT_LE(backend.not_before(), std::chrono::steady_clock::now() + 7s);
}

}  // namespace
}  // namespace router
