#include "net/otlp.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "support/stub_server.h"

namespace {

using base::Json;
using namespace std::chrono_literals;
using support::StubReply;
using support::StubRequest;
using support::StubServer;

base::Span span_of(const char* kind, const char* name) {
    base::Span s;
    s.id = *base::SpanId::parse("0190a0b0-c0d0-7000-8111-222233334444");
    s.parent = *base::SpanId::parse("0190a0b0-c0d0-7000-8555-666677778888");
    s.run = *base::RunId::parse("0190a0b0-c0d0-7abc-8def-0123456789ab");
    s.kind = kind;
    s.name = name;
    s.started = base::TimePoint(1'700'000'000'000'001us);
    s.duration = 1500us;
    return s;
}

base::Span model_span() {
    base::Span s = span_of("model", "copilot");
    s.attributes = {{"alias", "default"}, {"model", "big-1"}, {"finish", "stop"}, {"backend", "up"}, {"profile", "fast"},
                    {"usage", {{"prompt_tokens", 20}, {"cached_tokens", 16}, {"output_tokens", 3}, {"forced_tokens", 2}}}};
    s.body = {{"sent", {{{"role", "user"}, {"content", "a private question"}}}}, {"reply", {{"role", "assistant"}, {"content", "a private answer"}}}};
    return s;
}

// The attributes of a span, or of the resource, by key; with their OTLP type.
std::map<std::string, Json> attributes_of(const Json& holder) {
    std::map<std::string, Json> out;
    for (const auto& one : holder["attributes"]) out[one["key"]] = one["value"];
    return out;
}

Json first_span(const Json& body) { return body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]; }

struct OtlpTest : testing::Test {
    base::NullLog log;
    // Until `done`, at most ten seconds.
    template <class F>
    static bool until(F done) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
        return done();
    }
};

}  // namespace

TEST_F(OtlpTest, AModelCallHasTheNamesOfTheConventions) {
    const Json body = net::otlp_body({model_span()}, {"http://h", false, "1.2"}), span = first_span(body);
    EXPECT_EQ(attributes_of(body["resourceSpans"][0]["resource"])["service.name"], (Json{{"stringValue", "hearth"}}));
    EXPECT_EQ(span["traceId"], "0190a0b0c0d07abc8def0123456789ab");
    EXPECT_EQ(span["spanId"], "8111222233334444");
    EXPECT_EQ(span["parentSpanId"], "8555666677778888");
    EXPECT_EQ(span["name"], "chat default");
    EXPECT_EQ(span["kind"], 3);
    EXPECT_EQ(span["startTimeUnixNano"], "1700000000000001000");
    EXPECT_EQ(span["endTimeUnixNano"], "1700000000001501000");
    EXPECT_EQ(span["status"], Json::object());
    auto attributes = attributes_of(span);
    EXPECT_EQ(attributes["gen_ai.operation.name"], (Json{{"stringValue", "chat"}}));
    EXPECT_EQ(attributes["gen_ai.request.model"], (Json{{"stringValue", "default"}}));
    EXPECT_EQ(attributes["gen_ai.response.model"], (Json{{"stringValue", "big-1"}}));
    EXPECT_EQ(attributes["gen_ai.usage.input_tokens"], (Json{{"intValue", "20"}}));
    EXPECT_EQ(attributes["gen_ai.usage.output_tokens"], (Json{{"intValue", "3"}}));
    EXPECT_EQ(attributes["hearth.usage.forced_tokens"], (Json{{"intValue", "2"}}));
    EXPECT_EQ(attributes["gen_ai.response.finish_reasons"].dump(), R"({"arrayValue":{"values":[{"stringValue":"stop"}]}})");
}

TEST_F(OtlpTest, WhatWasSaidIsLeftOutUnlessItIsWanted) {
    base::Span tool = span_of("tool", "bash"), run = span_of("run", "hearth/dev");
    tool.attributes = {{"state", "failed"}, {"call", "c1"}};
    tool.body = {{"arguments", {{"command", "echo private"}}}, {"result", "private"}};
    tool.error = "Error: private";
    run.parent = {};
    run.body = {{"request", "a private question"}, {"answer", "a private answer"}};
    const std::vector<base::Span> all = {model_span(), tool, run};
    EXPECT_EQ(net::otlp_body(all, {"http://h", false, "1"}).dump().find("private"), std::string::npos);
    const Json told = net::otlp_body(all, {"http://h", true, "1"}), spans = told["resourceSpans"][0]["scopeSpans"][0]["spans"];
    EXPECT_THAT(attributes_of(spans[0])["gen_ai.input.messages"]["stringValue"].get<std::string>(), testing::HasSubstr("a private question"));
    EXPECT_EQ(attributes_of(spans[1])["gen_ai.tool.call.result"]["stringValue"], "private");
    EXPECT_EQ(spans[1]["status"], (Json{{"code", 2}, {"message", "Error: private"}}));
    EXPECT_EQ(spans[1]["name"], "execute_tool bash");
    EXPECT_EQ(spans[2]["name"], "invoke_agent hearth/dev");
    EXPECT_FALSE(spans[2].contains("parentSpanId"));
    EXPECT_EQ(net::otlp_body(all, {"http://h", false, "1"})["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["status"], (Json{{"code", 2}}));
}

TEST_F(OtlpTest, ACollectorGetsEverySpan) {
    StubServer collector([](const StubRequest&) { return StubReply{}; });
    for (const char* path : {"", "/", "/v1/traces"}) {
        const std::size_t before = collector.requests().size();
        net::OtlpExporter exporter({collector.url(path), false, "1"}, log);
        for (int i = 0; i < 300; ++i) exporter.emit(model_span());
        ASSERT_TRUE(until([&] { return exporter.exported() == 300; }));
        EXPECT_EQ(exporter.dropped(), 0u);
        std::size_t spans = 0;
        const auto requests = collector.requests();
        for (std::size_t i = before; i < requests.size(); ++i) {
            EXPECT_EQ(requests[i].method + " " + requests[i].target, "POST /v1/traces");
            EXPECT_EQ(requests[i].header("content-type"), "application/json");
            spans += base::parse_json(requests[i].body).value()["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
        }
        EXPECT_EQ(spans, 300u);
    }
}

TEST_F(OtlpTest, AStuckCollectorKeepsNobodyWaitingAndWhatIsDroppedIsCounted) {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    StubServer collector([&](const StubRequest&) {
        std::unique_lock lock(mutex);
        opened.wait(lock, [&] { return open; });
        return StubReply{};
    });
    net::OtlpExporter exporter({collector.url(""), false, "1", 10}, log);
    exporter.emit(model_span());
    ASSERT_TRUE(until([&] { return !collector.requests().empty(); }));  // the first is on its way, and stays there
    for (int i = 0; i < 1000; ++i) exporter.emit(model_span());
    EXPECT_EQ(exporter.dropped(), 990u);
    {
        const std::lock_guard lock(mutex);
        open = true;
    }
    opened.notify_all();
    EXPECT_TRUE(until([&] { return exporter.exported() == 11; }));
    EXPECT_EQ(exporter.dropped(), 990u);
}

TEST_F(OtlpTest, ACollectorThatFailsIsTriedAgainAndThenGivenUp) {
    std::atomic<int> asked = 0;
    StubServer collector([&](const StubRequest&) {
        StubReply reply;
        reply.status = ++asked <= 2 || asked > 3 ? 503 : 200;
        return reply;
    });
    net::OtlpExporter exporter({collector.url(""), false, "1"}, log);
    exporter.emit(model_span());
    ASSERT_TRUE(until([&] { return exporter.exported() == 1; }));
    EXPECT_EQ(asked, 3);
    exporter.emit(model_span());
    ASSERT_TRUE(until([&] { return exporter.dropped() == 1; }));
    EXPECT_EQ(asked, 6);
}

TEST_F(OtlpTest, EndsWithinItsTimeWhereNobodyListens) {
    const auto began = std::chrono::steady_clock::now();
    {
        net::OtlpExporter exporter({"http://127.0.0.1:1", false, "1"}, log);
        for (int i = 0; i < 1000; ++i) exporter.emit(model_span());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
}
