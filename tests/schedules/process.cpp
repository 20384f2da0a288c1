#include "process.h"

#include "tools/ports.h"

namespace schedules {
namespace {

using base::Json;
using tools::ToolContext;
using tools::ToolOutput;

net::Task<void> moment() { co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable); }

net::Task<base::Result<ToolOutput>> act(Json arguments, ToolContext& context) {
    const std::string command = arguments.value("command", "");
    const base::RunId run = context.ports->run;
    co_await moment();
    ++effects()[run][command];
    co_await moment();
    co_return ToolOutput{"did " + command, Json::object(), false, {}};
}

// The same reply to the same request, in whichever process. A command is like no other of its run.
router::ScriptedReply reply_to(const router::ModelRequest& request) {
    int said = 0;
    std::string all;
    for (const auto& message : request.messages) {
        said += message.role == router::MessageRole::assistant;
        all += message.text() + "\n";
    }
    router::ScriptedReply reply;
    const auto call = [&](const char* tool) {
        const std::string id = "m" + std::to_string(std::hash<std::string>{}(all));
        reply.tool_calls.push_back({id, tool, Json({{"command", tool + std::string(" ") + id}}).dump()});
    };
    if (said == 0) call("bash");
    else if (said == 1) call("write_file");
    else reply.text = "All of it is done.";
    return reply;
}

}  // namespace

Effects& effects() {
    static Effects all;
    return all;
}

Process::Tools::Tools() {
    using policy::Effect;
    using policy::Permission;
    using policy::Scope;
    const base::OrderedJson any = {{"type", "object"}};
    const std::chrono::milliseconds limit{60000};
    tools_ = {
        {"write_file", "Write a file.", any, any, {Scope::dev}, Effect::idempotent, {Permission::workspace_write}, limit, act, {}},
        {"bash", "Run a command.", any, any, {Scope::dev}, Effect::at_most_once, {Permission::execute}, limit, act, "look at the list of effects"},
    };
}

Process::Process(const Setting& setting) : on_(store::Db::open({setting.url, 8, setting.node}).value(), tools_, reply_to, setting.folder) {}

Process::~Process() {
    on_.blocking.join();
    on_.db->join();
}

void Process::look_for_runs() { net::spawn(io_.get_executor(), on_.agents->resume_interrupted(), {}); }

}  // namespace schedules
