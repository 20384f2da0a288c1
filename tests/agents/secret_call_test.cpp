// Secrets that calls name: who is given which, what policy says, and that nothing but the tool ever has the value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "store/approvals.h"
#include "store/conversations.h"
#include "store/ledger.h"
#include "store/secrets.h"
#include "tools/secrets.h"

namespace agents::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kCanary = "canary-Zt5vQ8rW2nLk9";
std::vector<std::string> given;  // to the tool, by call

// Says aloud what it is given, in several forms, as a program might.
ToolResult send(Json arguments, ToolContext& context) {
    const std::string handle = arguments["fields"].value("token", "");
    const auto found = context.secrets ? context.secrets->find(handle) : tools::OpenSecrets::const_iterator();
    const std::string value = context.secrets && found != context.secrets->end() ? std::string(found->second.reveal()) : "";
    given.push_back(value);
    if (arguments["fields"].value("how", "") == "fail") co_return base::error(base::Code::io, "the other end said: bad token " + value);
    ToolOutput out{"sent with " + value + ", that is " + Json(value).dump()};
    out.facts = {{"token", value}};
    out.names = {value};
    out.integrity = policy::Integrity::trusted;
    co_return out;
}

class SecretCall : public TurnTest {
protected:
    void SetUp() override {
        TurnTest::SetUp();
        if (IsSkipped()) return;
        database->sql("delete from secret; delete from approval");
        database->sql("update run set state = 'failed', finished_at = now() where state is null or state = 'waiting_person'");
        given.clear();
        db = store::Db::open({store::app_url(database->cluster()), 2, database->foundation().node, redactor}).value();
        secrets.emplace(*db, state.path(), redactor);
        const base::OrderedJson any = {{"type", "object"}};
        tools.add({"send", "Send.", any, any, {policy::Scope::dev}, policy::Effect::at_most_once, {policy::Permission::execute}, std::chrono::milliseconds(5000), send, "", {"fields"}});
    }
    void TearDown() override {
        agents.reset();
        if (!db) return;
        blocking.join();
        db->join();
    }

    void set(const store::Identity& who, const std::string& name, std::vector<std::string> for_tools, std::string value = kCanary) {
        const base::SecretValue secret = base::SecretValue::take(value);
        const auto write = [&](store::Tx& tx) {
            return store::set_secret(tx, store::master_keys(tx, state.path().string()).value(), store::SecretOwner::person, name, "", secret, for_tools);
        };
        ASSERT_TRUE(db->run_blocking(who, write));
    }

    ChatResult ask(std::vector<router::ScriptedReply> replies, const std::string& text = "Send it.", bool present = true) {
        auto scripted = std::make_unique<router::ScriptedBackend>("scripted", std::move(replies));
        model = scripted.get();
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::move(scripted));
        agents.reset();
        gateway = std::make_unique<router::Gateway>(std::move(backends), std::vector<router::Alias>{{"default", {"scripted"}}}, clock, log, metrics);
        traces = std::make_unique<store::TraceSink>(*db, log);
        Options options;
        options.workspace_root = folder.path();
        options.default_discipline = ToolDiscipline::free;
        agents = std::make_unique<Agents>(Parts{*gateway, *db, *traces, tools, nullptr, blocking, clock, log, metrics, nullptr, &*secrets}, options);
        ChatRequest request;
        request.principal.tenant = database->owner().tenant;
        request.principal.person = database->owner().person;
        request.principal.role = policy::Role::owner;
        request.principal.can_ask = present;
        request.alias = "hearth/dev";
        request.messages = {user(text)};
        events.clear();
        return run([&]() -> net::Task<ChatResult> {
            EventSink sink = [this](const ChatEvent& event) { events += std::string(name(event.kind)) + " " + event.text + data_of(event).dump() + "\n"; };
            auto result = co_await agents->chat(std::move(request), sink);
            co_return std::move(result).value();
        });
    }
    template <class F>
    auto run(F work) -> ChatResult {
        boost::asio::io_context io;
        std::optional<ChatResult> out;
        const auto task = [&]() -> net::Task<void> { out.emplace(co_await work()); };
        net::spawn(io.get_executor(), task(), [](std::exception_ptr e) {
            if (e) ADD_FAILURE() << "the chat threw";
        });
        io.run();
        return std::move(out.value());
    }

    // What a tool said, as the model read it.
    std::string told() const {
        std::string out;
        for (const auto& request : model->requests())
            for (const auto& message : request.messages) out = message.role == router::MessageRole::tool ? message.text() : out;
        return out;
    }
    // Everything that is left of the run, and what the model was sent.
    std::string all(base::RunId id) {
        traces->flush();
        std::string out = events;
        for (const auto& request : model->requests())
            for (const auto& message : request.messages) {
                out += message.text();
                for (const auto& call : message.tool_calls) out += call.arguments;
            }
        for (const char* table : {"conversation", "message", "step", "span", "span_body", "run", "run_event", "approval", "model_usage", "telemetry_event"})
            out += database->sql("select coalesce(string_agg(t::text, ' '), '') from " + std::string(table) + " t");
        const auto steps = [&](store::Tx& tx) { return store::list_steps(tx, id); };
        for (const auto& step : db->run_blocking(database->owner(), steps)) out += step.input.dump() + step.outcome.dump();
        return out;
    }

    support::TestDatabase* database = support::TestDatabase::get();
    std::shared_ptr<base::Redactor> redactor = std::make_shared<base::Redactor>();
    support::TempDir state, folder;
    base::SystemClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    boost::asio::thread_pool blocking{2};
    FakeTools tools;
    std::unique_ptr<store::Db> db;
    std::optional<tools::Secrets> secrets;
    std::unique_ptr<store::TraceSink> traces;
    std::unique_ptr<router::Gateway> gateway;
    router::ScriptedBackend* model = nullptr;
    std::unique_ptr<Agents> agents;
    std::string events;
};

constexpr const char* kSend = R"({"fields": {"token": "secret:github"}})";

TEST_F(SecretCall, TheToolAloneHasTheValue) {
    set(database->owner(), "github", {"send"});
    const ChatResult result = ask({calls("send", kSend), says("Sent.")}, "Send it with secret:github.");
    EXPECT_EQ(result.final_state, "answered") << result.error.message;
    EXPECT_THAT(given, ElementsAre(kCanary));
    const std::string everything = all(result.run);
    EXPECT_THAT(everything, Not(HasSubstr(kCanary)));
    EXPECT_THAT(everything, AllOf(HasSubstr("secret:github"), HasSubstr(base::kRedactedSecret)));
    EXPECT_THAT(told(), HasSubstr("sent with [redacted: secret]")) << "the model has not";
    EXPECT_THAT(model->requests().front().messages.back().text(), HasSubstr("Send it with secret:github.")) << "a prompt's handle stays one";
}

TEST_F(SecretCall, WhatFailsTellsItsErrorWithoutTheValue) {
    set(database->owner(), "github", {"send"});
    const ChatResult result = ask({calls("send", R"({"fields": {"token": "secret:github", "how": "fail"}})"), says("It failed.")});
    EXPECT_THAT(given, ElementsAre(kCanary));
    EXPECT_THAT(told(), HasSubstr("bad token [redacted: secret]"));
    EXPECT_THAT(all(result.run), Not(HasSubstr(kCanary)));
}

TEST_F(SecretCall, WhatIsNotBoundToThePersonAndTheToolFailsAndNamesTheRemedy) {
    set(database->owner(), "upstream", {});
    set(database->owner(), "other_tool", {"bash"});
    set(database->member(), "theirs", {"send"});
    for (const char* name : {"upstream", "other_tool", "theirs", "nowhere"}) {
        const std::string handle = std::string("secret:") + name;
        const ChatResult result = ask({calls("send", Json({{"fields", {{"token", handle}}}}).dump()), says("I could not.")});
        EXPECT_THAT(given, IsEmpty()) << name;
        EXPECT_THAT(told(), AllOf(HasSubstr("Error: "), HasSubstr(handle), HasSubstr(std::string("hearth secret set ") + name + " --for send"))) << name;
        const auto steps = [&](store::Tx& tx) { return store::list_steps(tx, result.run); };
        for (const auto& step : db->run_blocking(database->owner(), steps)) EXPECT_NE(step.kind, "tool") << name;
    }
}

TEST_F(SecretCall, AHandleElsewhereIsRefusedAndTheModelMayMendIt) {
    set(database->owner(), "github", {"send"});
    const ChatResult result = ask({calls("send", R"({"fields": {"token": "Bearer secret:github"}})"), calls("send", kSend), says("Sent.")});
    EXPECT_EQ(result.final_state, "answered");
    EXPECT_THAT(given, ElementsAre(kCanary));
    bool heard = false;
    const auto requests = model->requests();
    for (const auto& message : requests.at(1).messages) heard |= message.text().find("does not become its value in 'fields' of send") != std::string::npos;
    EXPECT_TRUE(heard);
}

TEST_F(SecretCall, BehindTextFromOutsideAPersonIsAskedAboutTheHandle) {
    set(database->owner(), "github", {"send"});
    const ChatResult result = ask({calls("read_file", R"({"path": "a.txt"})"), calls("send", kSend), says("Sent.")});
    EXPECT_EQ(result.final_state, "waiting_person");
    EXPECT_THAT(given, IsEmpty());
    const auto read = [](store::Tx& tx) { return store::open_approvals(tx); };
    const auto open = db->run_blocking(database->owner(), read);
    ASSERT_EQ(open.size(), 1u);
    EXPECT_EQ(open[0].request.rule, "untrusted_text_asks_for_secrets");
    EXPECT_EQ(open[0].request.arguments, Json::parse(kSend));
    const auto grant = [&](store::Tx& tx) { return store::decide_approval(tx, open[0].id, true, "test"); };
    ASSERT_TRUE(db->run_blocking(database->owner(), grant));
    model->push(says("Sent."));
    run([&]() -> net::Task<ChatResult> {
        co_await agents->resume_interrupted();
        co_return ChatResult{};
    });
    EXPECT_THAT(given, ElementsAre(kCanary));
    EXPECT_THAT(all(result.run), Not(HasSubstr(kCanary)));
}

TEST_F(SecretCall, WithNobodyThereItIsRefused) {
    set(database->owner(), "github", {"send"});
    ask({calls("read_file", R"({"path": "a.txt"})"), calls("send", kSend), says("I could not.")}, "Send it.", false);
    EXPECT_THAT(given, IsEmpty());
    EXPECT_THAT(told(), HasSubstr("Nobody is present to approve it"));
}

TEST_F(SecretCall, WithoutMasterKeyTheToolIsNotEntered) {
    set(database->owner(), "github", {"send"});
    std::filesystem::remove(state.path() / "master.key");
    ask({calls("send", kSend), says("I could not.")});
    EXPECT_THAT(given, IsEmpty());
    EXPECT_THAT(told(), HasSubstr("only it opens"));
}

}  // namespace
}  // namespace agents::testing
