// Agents on a real database with a scripted model and tools that show what was done.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "agents/service.h"
#include "router/gateway.h"
#include "router/scripted_backend.h"
#include "store/runs.h"
#include "store/traces.h"
#include "support/database.h"
#include "support/fixtures.h"
#include "support/listed_tools.h"

namespace agents::testing {

using base::Json;
using tools::ToolContext;
using tools::ToolOutput;
using ToolResult = net::Task<base::Result<ToolOutput>>;

inline ToolResult read_file(Json arguments, ToolContext&) {
    const std::string path = arguments.value("path", "");
    if (path == "missing") co_return base::error(base::Code::not_found, "there is no file missing");
    if (path == "slip") co_return base::error(base::Code::not_found, "there is no file slip", "near that name: b");
    if (path == "huge") co_return ToolOutput{std::string(100000, 'x')};
    co_return ToolOutput{"text of " + path};
}
inline ToolResult bash(Json arguments, ToolContext&) { co_return ToolOutput{"ran " + arguments.value("command", "")}; }
inline ToolResult slow(Json, ToolContext& context) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!context.stop.stopped()) {
        timer.expires_after(std::chrono::milliseconds(2));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return context.stop.error("slow");
}
inline ToolResult thrower(Json, ToolContext&) {
    throw std::runtime_error("the pipe broke");
    co_return ToolOutput{};
}

inline base::OrderedJson one_string(const char* field) {
    return {{"type", "object"}, {"properties", {{field, {{"type", "string"}}}}}, {"required", {field}}, {"additionalProperties", false}};
}

class FakeTools final : public support::ListedTools {
public:
    void add(tools::Tool tool) { tools_.push_back(std::move(tool)); }
    FakeTools() {
        using policy::Effect;
        using policy::Permission;
        using policy::Scope;
        const base::OrderedJson any = {{"type", "object"}};
        const std::chrono::milliseconds limit{5000};
        tools_ = {
            {"read_file", "Read a file.", one_string("path"), any, {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, limit, read_file},
            {"bash", "Run a command.", one_string("command"), any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, bash},
            {"slow", "Wait.", any, any, {Scope::dev}, Effect::pure, {}, std::chrono::milliseconds(60000), slow},
            {"brief", "Wait, but not long.", any, any, {Scope::dev}, Effect::pure, {}, std::chrono::milliseconds(20), slow},
            {"thrower", "Break off.", any, any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, thrower},
        };
    }
};

inline router::ScriptedReply says(const std::string& text) {
    router::ScriptedReply reply;
    reply.text = text;
    return reply;
}
inline router::ScriptedReply calls(const std::string& tool, const std::string& arguments) {
    router::ScriptedReply reply;
    reply.tool_calls.push_back({"", tool, arguments});
    return reply;
}
inline Json user(const std::string& text) { return {{"role", "user"}, {"content", text}}; }
inline Json assistant(const std::string& text) { return {{"role", "assistant"}, {"content", text}}; }

// Without PostgreSQL these tests are skipped, and say why.
class TurnTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    }
};

// The machine's, but its steady time can be set back: a deadline that is reckoned from there is near.
class SetBackClock final : public base::Clock {
public:
    base::TimePoint now() const override { return machine_.now(); }
    base::SteadyPoint steady() const override { return machine_.steady() - std::chrono::milliseconds(back_.load()); }
    void set_back(std::chrono::milliseconds by) { back_ = by.count(); }

private:
    base::SystemClock machine_;
    std::atomic<std::int64_t> back_{0};
};

struct Harness {
    // `own_db`: a process of its own among several; else all harnesses of a test are one.
    explicit Harness(std::vector<router::ScriptedReply> replies = {}, Options options = {}, store::Db* own_db = nullptr)
        : db(own_db ? *own_db : database->db()) {
        auto scripted = std::make_unique<router::ScriptedBackend>("scripted", std::move(replies));
        model = scripted.get();
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::move(scripted));
        gateway = std::make_unique<router::Gateway>(std::move(backends), std::vector<router::Alias>{{"default", {"scripted"}}}, clock, log, metrics);
        options.workspace_root = folder.path();
        agents = std::make_unique<Agents>(Parts{*gateway, db, *traces, tools, nullptr, blocking, clock, log, metrics, nullptr, nullptr, [this] { return surroundings; }}, options);
    }

    ChatRequest request(const std::string& alias, std::vector<Json> messages) const {
        ChatRequest out;
        out.principal.tenant = database->owner().tenant;
        out.principal.person = database->owner().person;
        out.principal.role = policy::Role::owner;
        out.alias = alias;
        out.messages = std::move(messages);
        return out;
    }

    base::Result<ChatResult> chat(ChatRequest request) {
        events.clear();
        boost::asio::io_context io;
        std::optional<base::Result<ChatResult>> out;
        const auto sink = [this](const ChatEvent& event) {
            events.push_back(event);
            if (on_event) on_event(event);
        };
        const auto task = [&]() -> net::Task<void> { out.emplace(co_await agents->chat(std::move(request), sink)); };
        std::exception_ptr failed;
        net::spawn(io.get_executor(), task(), [&](std::exception_ptr e) { failed = e; });
        io.run();
        if (failed) std::rethrow_exception(failed);
        return std::move(*out);
    }
    ChatResult ask(const std::string& alias, const std::string& text, base::ConversationId conversation = {}) {
        ChatRequest asked = request(alias, {user(text)});
        asked.conversation = conversation;
        return chat(std::move(asked)).value();
    }

    template <class F>
    auto in_tx(F work) { return database->db().run_blocking(database->owner(), work); }
    std::vector<base::Span> spans(base::RunId run) {
        traces->flush();
        return in_tx([&](store::Tx& tx) { return store::read_trace(tx, run).spans; });
    }
    store::Run run(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return store::find_run(tx, id).value(); });
    }
    std::vector<std::string> nodes(base::RunId run) {
        traces->flush();
        std::vector<std::string> out;
        for (const auto& event : in_tx([&](store::Tx& tx) { return store::list_events(tx, run); })) out.push_back(event.node);
        return out;
    }
    // The kinds of events, neighbours of one kind once.
    std::string kinds() const {
        std::string out, last;
        for (const auto& event : events) {
            const std::string kind = std::string(name(event.kind)) + (event.kind == ChatEvent::Kind::phase ? ":" + event.name : "");
            if (kind != last) out += (out.empty() ? "" : " ") + kind;
            last = kind;
        }
        return out;
    }
    std::string streamed() const {
        std::string out;
        for (const auto& event : events)
            if (event.kind == ChatEvent::Kind::text) out += event.text;
        return out;
    }

    support::TestDatabase* database = support::TestDatabase::get();  // see TurnTest
    store::Db& db;
    SetBackClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    boost::asio::thread_pool blocking{2};
    router::ScriptedBackend* model = nullptr;
    std::unique_ptr<router::Gateway> gateway;
    std::unique_ptr<store::TraceSink> traces = std::make_unique<store::TraceSink>(db, log);
    FakeTools tools;
    support::TempDir folder;
    std::unique_ptr<Agents> agents;
    std::string surroundings;  // as the process would tell them
    std::vector<ChatEvent> events;
    std::function<void(const ChatEvent&)> on_event;
};

}  // namespace agents::testing
