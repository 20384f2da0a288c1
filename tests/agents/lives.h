// Processes that can be killed between any two things that they do, on one database: each has connections, a lease and
// agents of its own. What took effect outside of them is counted.
#pragma once

#include "harness.h"
#include "store/conversations.h"
#include "store/facts.h"
#include "store/ledger.h"
#include "support/scripted_agents.h"
#include "tools/ports.h"
#include "tools/rule_book.h"
#include "tools/spawn_thread.h"

namespace agents::testing {

inline std::map<std::string, int> effects;  // how often each took place

inline net::Task<void> moment() { co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable); }

inline ToolResult look(Json arguments, ToolContext&) {
    co_await moment();
    co_return ToolOutput{"text of " + arguments.value("path", ""), Json::object(), false, {"one", "two"}};
}
inline ToolResult act(Json arguments, ToolContext&) {
    const std::string command = arguments.value("command", "");
    co_await moment();
    ++effects[command];
    co_await moment();
    co_return ToolOutput{"did " + command, Json::object(), false, {}};
}
inline ToolResult mail(Json arguments, ToolContext&) {
    ++effects["mail to " + arguments.value("to", "")];
    co_await moment();
    co_return ToolOutput{"sent", Json::object(), false, {}};
}
inline ToolResult keep(Json arguments, ToolContext& context) {
    co_await moment();
    context.ports->writes.push_back([text = arguments.value("text", ""), run = context.ports->run](store::Tx& tx) { store::remember(tx, text, run); });
    co_return ToolOutput{"kept", Json::object(), false, {}};
}
// Ends when it is told to, or after a while.
inline ToolResult act_slowly(Json, ToolContext& context) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    ++effects["slowly"];
    for (int i = 0; i < 100 && !context.stop.stopped(); ++i) {
        timer.expires_after(std::chrono::milliseconds(2));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return ToolOutput{context.stop.stopped() ? "cut off" : "done slowly", Json::object(), false, {}};
}

class CountedTools final : public support::ListedTools {
public:
    CountedTools() {
        using policy::Effect;
        using policy::Permission;
        using policy::Scope;
        const base::OrderedJson any = {{"type", "object"}};
        const std::chrono::milliseconds limit{5000};
        tools_ = {
            {"read_file", "Read a file.", one_string("path"), any, {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, limit, look},
            {"write_file", "Write a file.", one_string("command"), any, {Scope::dev}, Effect::idempotent, {Permission::workspace_write}, limit, act},
            {"bash", "Run a command.", one_string("command"), any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, act, "look at the list of effects"},
            {"slow", "Take long.", any, any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, act_slowly},
            {"send_mail", "Send a mail.", one_string("to"), any, {Scope::dev, Scope::home}, Effect::at_most_once, {Permission::network, Permission::people}, limit, mail},
            tools::spawn_thread_tool(),
            {"remember", "Keep a fact.", one_string("text"), any, {Scope::home}, Effect::transactional, {Permission::memory_write}, limit, keep},
        };
    }
};

// Runs that processes leave behind, and others go on with: each test begins with none, and with nothing remembered.
class LivesTest : public TurnTest {
protected:
    void SetUp() override {
        TurnTest::SetUp();
        if (IsSkipped()) return;
        database->sql("update run set state = 'failed', finished_at = now() where state is null or state = 'waiting_person'");
        database->sql("delete from fact");
        effects.clear();
    }
    policy::Principal owner() const {
        policy::Principal out;
        out.tenant = database->owner().tenant;
        out.person = database->owner().person;
        out.role = policy::Role::owner;
        return out;
    }
    template <class F>
    auto in_tx(F work) { return database->db().run_blocking(database->owner(), work); }
    store::Run run(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return store::find_run(tx, id).value(); });
    }
    std::vector<std::string> said_in(base::ConversationId conversation) {
        std::vector<std::string> out;
        for (const auto& m : in_tx([&](store::Tx& tx) { return store::list_messages(tx, conversation); })) out.push_back(m.role + ": " + m.body["content"].get<std::string>());
        return out;
    }

    support::TestDatabase* database = support::TestDatabase::get();
};

// The same reply to the same request, in whichever process.
inline router::ScriptedReply reply_to(const router::ModelRequest& request) {
    int said = 0;
    std::string asked;
    for (const auto& message : request.messages) {
        said = message.role == router::MessageRole::user ? 0 : said + (message.role == router::MessageRole::assistant);
        if (message.role == router::MessageRole::user) asked = message.text();
    }
    const auto call = [](router::ScriptedReply& reply, const char* id, const char* tool, const Json& arguments) {
        reply.tool_calls.push_back({id, tool, arguments.dump()});
    };
    router::ScriptedReply reply;
    reply.reasoning = "I think.";
    if (request.purpose == "intake") {
        reply.text = Json({{"goal", "know it"}, {"tools", true}, {"class", "heavy"}, {"machine", "explain"}}).dump();
    } else if (request.purpose == "thinking") {
        reply.text = "1. a is short";
    } else if (request.purpose == "recompose") {
        reply.text = "a.txt is better.";
    } else if (request.purpose == "hearth/knowledge") {
        if (said == 0) call(reply, "k1", "read_file", {{"path", "notes.txt"}});
        else reply.text = "Under the mat.";
    } else if (asked.find("Ask where") != std::string::npos) {
        if (said == 0) call(reply, "m1", "bash", {{"command", "one"}}), call(reply, "m2", "ask_knowledge", {{"question", "Where is the key?"}});
        else if (said == 1) call(reply, "m3", "bash", {{"command", "two"}});
        else reply.text = "All of it is done.";
    } else if (asked.find("[From the thread") != std::string::npos) {
        reply.text = "Together that is all.";
    } else if (asked.find("divide it") != std::string::npos) {
        const bool much = asked.find("too much") != std::string::npos;
        if (said == 0 && asked.find("for a coder") != std::string::npos) {
            call(reply, "m1", "spawn_thread", {{"task", "count the pears"}, {"agent", "hearth/dev"}});
        } else if (said == 0) {
            call(reply, "m1", "spawn_thread", {{"task", "count the apples"}, {"output_tokens", 900}});
            call(reply, "m2", "spawn_thread", {{"task", much ? "count the pears, too much" : "count the pears"}, {"output_tokens", 800}});
        } else {
            reply.text = "I wait for them.";
        }
    } else if (asked.find("count the ") != std::string::npos) {
        if (said == 0 && asked.find("apples") != std::string::npos) call(reply, "m1", "bash", {{"command", "apples"}});
        else reply.text = asked.find("apples") != std::string::npos ? "There are 3 apples." : "There are 5 pears.";
        if (asked.find("too much") != std::string::npos) reply.finish = router::FinishReason::length;
    } else if (asked.find("slowly") != std::string::npos) {
        if (said == 0) call(reply, "m1", "slow", Json::object());
        else reply.text = "It was slow.";
    } else if (asked.find("mail Ann") != std::string::npos) {
        if (said == 0) call(reply, "m1", "read_file", {{"path", "a.txt"}}), call(reply, "m2", "send_mail", {{"to", "Ann"}});
        else reply.text = "That is all.";
    } else if (request.purpose == "copilot") {
        if (said == 0) call(reply, "m1", "read_file", {{"path", "a.txt"}});
        else if (said == 1) call(reply, "m2", "remember", {{"text", "a.txt was read"}}), call(reply, "m3", "read_file", {{"path", "b.txt"}});
        else reply.text = "That is all.";
    } else if (said == 0) {
        reply.text = "First I look.";
        call(reply, "m1", "read_file", {{"path", "a.txt"}});
        call(reply, "m2", "bash", {{"command", "one"}});
    } else if (said == 1) {
        call(reply, "m3", "write_file", {{"command", "same"}});
    } else if (said == 2) {
        call(reply, "m4", "bash", {{"command", "two"}});
        call(reply, "m5", "read_file", {{"path", "no such argument"}, {"x", 1}});
    } else {
        reply.text = "All of it is done.";
    }
    // So that something can be done while it is said.
    if (asked.find("word by word") != std::string::npos && reply.tool_calls.empty()) reply.delta_delay = std::chrono::milliseconds(50);
    return reply;
}

// What its agents stand on, and outlives them.
struct CountedParts {
    CountedTools tools;
    tools::RuleBook rules;
};

// Destroyed as a process is killed: what its pools have begun still happens, and nobody hears of it.
class Process : public CountedParts, public support::ScriptedAgents {
public:
    explicit Process(const std::filesystem::path& folder, Options options = {}) : ScriptedAgents(connections(), tools, reply_to, folder, std::move(options), &rules) {}
    ~Process() {
        blocking.join();
        db->join();
    }

    void ask(ChatRequest request) {
        const auto chat = [this](ChatRequest asked) -> net::Task<void> {
            EventSink sink = [this](const ChatEvent& event) { events.push_back(event); };
            result.emplace(co_await agents->chat(std::move(asked), sink));
        };
        asking = chat;
        net::spawn(io.get_executor(), asking(std::move(request)), [](std::exception_ptr) { ADD_FAILURE() << "a chat threw"; });
    }
    // So many things that the process does one after the other; false: that was all.
    bool live(std::size_t things) {
        for (std::size_t i = 0; i < things; ++i)
            if (io.run_one() == 0) return false;
        return true;
    }
    // Goes on with what it finds; false: it did not come to an end.
    bool resume(std::size_t things = 100000) {
        io.restart();
        net::spawn(io.get_executor(), agents->resume_interrupted(), [](std::exception_ptr) { ADD_FAILURE() << "resuming threw"; });
        return !live(things);
    }

    std::vector<ChatEvent> events;
    std::optional<base::Result<ChatResult>> result;
    std::function<net::Task<void>(ChatRequest)> asking;
    boost::asio::io_context io;  // first to go, and with it whatever waits

private:
    static std::unique_ptr<store::Db> connections() {
        auto* const database = support::TestDatabase::get();
        return store::Db::open({store::app_url(database->cluster()), 2, database->foundation().node}).value();
    }
};

}  // namespace agents::testing
