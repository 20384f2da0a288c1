#include "life.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <thread>

#include "store/facts.h"
#include "store/runs.h"
#include "support/listed_tools.h"
#include "support/scripted_agents.h"
#include "tools/ports.h"
#include "tools/rule_book.h"

namespace kill_matrix {
namespace {

using base::Json;
using tools::ToolContext;
using tools::ToolOutput;
using ToolResult = net::Task<base::Result<ToolOutput>>;

std::filesystem::path effects_folder;

// What took effect outlives the process, and is counted from outside.
void take_effect(const ToolContext& context, const std::string& what, const char* label) {
    pass(label, Moment::before);
    const std::string file = (effects_folder / context.ports->run.text()).string(), line = what + "\n";
    const int to = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (to < 0 || write(to, line.data(), line.size()) != ssize_t(line.size())) _exit(3);
    close(to);
    pass(label, Moment::answered);
}

ToolResult look(Json arguments, ToolContext&) {
    pass("effect pure", Moment::before);
    pass("effect pure", Moment::answered);
    co_return ToolOutput{"text of " + arguments.value("path", ""), Json::object(), false, {"one", "two"}};
}
ToolResult put(Json arguments, ToolContext& context) {
    take_effect(context, arguments.value("command", ""), "effect idempotent");
    co_return ToolOutput{"put", Json::object(), false, {}};
}
ToolResult act(Json arguments, ToolContext& context) {
    const std::string command = arguments.value("command", "");
    take_effect(context, command, "effect at_most_once");
    co_return ToolOutput{"did " + command, Json::object(), false, {}};
}
ToolResult send(Json arguments, ToolContext& context) {
    const std::string to = arguments.value("command", "");
    take_effect(context, to, "effect message");
    co_return ToolOutput{"sent to " + to, Json::object(), false, {}};
}
ToolResult keep(Json arguments, ToolContext& context) {
    pass("effect transactional", Moment::before);
    context.ports->writes.push_back([text = arguments.value("text", ""), run = context.ports->run](store::Tx& tx) { store::remember(tx, text + " " + run.text(), run); });
    pass("effect transactional", Moment::answered);
    co_return ToolOutput{"kept", Json::object(), false, {}};
}

class Tools final : public support::ListedTools {
public:
    Tools() {
        using policy::Effect;
        using policy::Permission;
        using policy::Scope;
        const base::OrderedJson any = {{"type", "object"}};
        const std::chrono::milliseconds limit{5000};
        tools_ = {
            {"read_file", "Read a file.", any, any, {Scope::dev, Scope::home}, Effect::pure, {Permission::workspace_read}, limit, look, {}},
            {"write_file", "Write a file.", any, any, {Scope::dev}, Effect::idempotent, {Permission::workspace_write}, limit, put, {}},
            {"bash", "Run a command.", any, any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, act, "look at the list of effects"},
            {"send_message", "Send a message to a person.", any, any, {Scope::dev}, Effect::at_most_once, {Permission::network, Permission::people}, limit, send, "look at the list of effects"},
            {"remember", "Keep a fact.", any, any, {Scope::dev, Scope::home}, Effect::transactional, {Permission::memory_write}, limit, keep, {}},
        };
    }
};

// The same reply to the same request, in whichever process.
router::ScriptedReply reply_to(const router::ModelRequest& request) {
    int said = 0;
    for (const auto& message : request.messages)
        said = message.role == router::MessageRole::user ? 0 : said + (message.role == router::MessageRole::assistant);
    const auto call = [](router::ScriptedReply& reply, const char* id, const char* tool, const Json& arguments) {
        reply.tool_calls.push_back({id, tool, arguments.dump()});
    };
    const Json fact = {{"text", "qqzz xxvv"}};  // like no question, so that no run recalls it
    router::ScriptedReply reply;
    if (request.purpose == "intake") {
        reply.text = Json({{"goal", "know it"}, {"tools", true}, {"class", "heavy"}, {"machine", "explain"}}).dump();
    } else if (request.purpose == "thinking") {
        reply.text = "1. a is short";
    } else if (request.purpose == "recompose") {
        reply.text = "a.txt is better.";
    } else if (request.purpose == "copilot") {
        if (said == 0) call(reply, "m1", "read_file", {{"path", "a.txt"}});
        else if (said == 1) call(reply, "m2", "remember", fact);
        else reply.text = "That is all.";
    } else if (said == 0) {
        reply.text = "First I look.";
        call(reply, "m0", "send_message", {{"command", "Ann"}});  // before a text from outside is read: then it would be asked about
        call(reply, "m1", "read_file", {{"path", "a.txt"}});
        call(reply, "m2", "bash", {{"command", "one"}});
    } else if (said == 1) {
        call(reply, "m3", "write_file", {{"command", "same"}});
        call(reply, "m4", "remember", fact);
    } else if (said == 2) {
        call(reply, "m5", "bash", {{"command", "two"}});
    } else {
        reply.text = "All of it is done.";
    }
    return reply;
}

class Process {
public:
    Process(const Setting& setting, Record& record)
        : record_(record), who_(setting.who), on_(store::Db::open({setting.url, 1, setting.node}).value(), tools_, reply_to, setting.folder, {}, &rules_) {
        const Json allowed = {{"verdict", "allow"}, {"tools", {"send_message"}}};
        rules_.change({policy::house_rule_from_json(who_.tenant, "messages_leave", allowed).value()});
    }

    // Until the run has ended; the lease of a process that was killed is free when PostgreSQL notices.
    void go_on(base::RunId run) {
        const auto has_ended = [&](store::Tx& tx) { return store::find_run(tx, run).value().finished.time_since_epoch().count() != 0; };
        for (int i = 0; i < 2000 && !on_.db->run_blocking(who_, has_ended, store::Db::Access::read); ++i) {
            if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            perform(on_.agents->resume_interrupted());
        }
    }

    void begin(const Case& what) {
        agents::ChatRequest request;
        request.principal.tenant = who_.tenant;
        request.principal.person = who_.person;
        request.principal.role = policy::Role::owner;
        request.alias = what.alias;
        request.messages = {{{"role", "user"}, {"content", what.question}}};
        perform(chat(std::move(request)));
    }

private:
    net::Task<void> chat(agents::ChatRequest request) {
        agents::EventSink sink = [this](const agents::ChatEvent& event) {
            if (event.kind == agents::ChatEvent::Kind::run_started) std::strncpy(record_.run, event.run.text().c_str(), sizeof record_.run - 1);
        };
        const auto result = co_await on_.agents->chat(std::move(request), sink);
        record_.ended = result && result->final_state != "interrupted";
    }
    void perform(net::Task<void> task) {
        io_.restart();
        net::spawn(io_.get_executor(), std::move(task), [this](std::exception_ptr) { record_.crashed = true; });
        io_.run();
    }

    Record& record_;
    store::Identity who_;
    Tools tools_;
    tools::RuleBook rules_;
    support::ScriptedAgents on_;
    boost::asio::io_context io_;
};

}  // namespace

void live(const Setting& setting, Record& record, base::RunId left, const Case* fresh) {
    effects_folder = setting.folder / "effects";
    watch(record, record.resuming);
    auto* const process = new Process(setting, record);  // that nothing of it is put in order at the end
    if (!left.is_nil()) process->go_on(left);
    record.resumed = true;
    watch(record, record.beginning);
    if (fresh) process->begin(*fresh);
}

}  // namespace kill_matrix
