#include "tools/admin.h"

#include <algorithm>

#include "store/conversations.h"
#include "store/ledger.h"
#include "store/runs.h"
#include "store/usage.h"
#include "tools/invoke.h"
#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;
using namespace schemas;

constexpr int kMostLooked = 500;           // runs among which those of a state are sought
constexpr std::size_t kMostOfStep = 1500;  // bytes of what one step brought

base::Error unreachable() { return base::error(Code::unavailable, "the database cannot be reached in this call"); }

std::string line_of(const store::Run& run) {
    return run.id.text() + "  " + base::rfc3339(run.started) + "  " + run.alias + "  " + run.status + (run.error.empty() ? "" : " (" + run.error + ")") + "  " + run.question + "\n";
}

std::string text_of(const store::Step& step) {
    std::string out = "step " + std::to_string(step.position) + ": " + step.kind + " " + step.name + ", " + step.state;
    if (step.kind == "tool") out += "\n  arguments: " + base::dump(step.input);
    const auto text = step.outcome.is_object() ? step.outcome.find("text") : step.outcome.end();
    if (step.outcome.is_object() && text != step.outcome.end() && text->is_string()) out += "\n  result: " + cut_middle(text->get<std::string>(), kMostOfStep);
    return out + "\n";
}

std::string text_of(const store::UsageShare& share) {
    return share.key + ": " + std::to_string(share.calls) + " calls, " + std::to_string(share.failures) + " failed, " + std::to_string(share.prompt_tokens) + " tokens read (" +
           std::to_string(share.cached_tokens) + " from the cache), " + std::to_string(share.output_tokens) + " written" + (share.cost > 0 ? ", cost " + std::to_string(share.cost) : "") + "\n";
}

}  // namespace

net::Task<base::Result<ToolOutput>> recent_runs(Json arguments, ToolContext& context) {
    if (!context.ports) co_return unreachable();
    const int limit = arguments.value("limit", 10);
    const std::string state = arguments.value("state", "");
    const auto read = [&](store::Tx& tx) { return store::list_runs(tx, state.empty() ? limit : kMostLooked, std::nullopt); };
    const auto runs = co_await context.ports->db.run(context.ports->who, read);
    ToolOutput out;
    int count = 0;
    for (const store::Run& run : runs) {
        if (count == limit || (!state.empty() && run.status != state)) continue;
        out.text += line_of(run);
        ++count;
    }
    if (count == 0) out.text = state.empty() ? "There are no runs yet." : "None of the last " + std::to_string(kMostLooked) + " runs is " + state + ".";
    out.facts["count"] = count;
    co_return out;
}

net::Task<base::Result<ToolOutput>> read_run(Json arguments, ToolContext& context) {
    if (!context.ports) co_return unreachable();
    const std::string text = arguments.value("run", "");
    const auto id = base::RunId::parse(text);
    if (!id) co_return base::error(Code::invalid_argument, "'" + text + "' is no run's id", "recent_runs lists them");
    struct Read {
        store::Run run;
        std::vector<store::Step> steps;
    };
    const auto read = [&](store::Tx& tx) -> std::optional<Read> {
        auto run = store::find_run(tx, *id);
        if (!run) return std::nullopt;
        return Read{*std::move(run), store::list_steps(tx, *id)};
    };
    const auto found = co_await context.ports->db.run(context.ports->who, read);
    if (!found) co_return base::error(Code::not_found, "there is no run " + text, "recent_runs lists them");
    ToolOutput out{line_of(found->run)};
    for (const store::Step& step : found->steps) out.text += text_of(step);
    const std::string answer = found->run.turn.is_object() ? found->run.turn.value("answer", "") : "";
    out.text += answer.empty() ? "There is no answer.\n" : "answer: " + answer + "\n";
    out.facts["steps"] = found->steps.size();
    co_return out;
}

net::Task<base::Result<ToolOutput>> usage(Json arguments, ToolContext& context) {
    if (!context.ports) co_return unreachable();
    const int days = arguments.value("days", 7);
    constexpr int kMost = 20;
    const base::TimePoint since = context.ports->clock.now() - std::chrono::hours(24 * days);
    using Shares = std::vector<store::UsageShare>;
    const auto read = [&](store::Tx& tx) {
        return std::pair<Shares, Shares>(store::usage_by(tx, store::UsageBy::model, since, kMost), store::usage_by(tx, store::UsageBy::agent, since, kMost));
    };
    const auto shares = co_await context.ports->db.run(context.ports->who, read);
    ToolOutput out{"The last " + std::to_string(days) + " days, by model:\n"};
    std::int64_t calls = 0;
    for (const auto& share : shares.first) out.text += text_of(share), calls += share.calls;
    out.text += "by agent:\n";
    for (const auto& share : shares.second) out.text += text_of(share);
    if (calls == 0) out.text = "No model was called in the last " + std::to_string(days) + " days.";
    out.facts["calls"] = calls;
    out.integrity = policy::Integrity::trusted;
    co_return out;
}

std::vector<Tool> admin_tools() {
    using policy::Effect;
    using policy::Permission;
    using policy::Scope;
    const std::chrono::milliseconds quick{5000};
    const OrderedJson states = {"answered", "partial", "cancelled", "refused", "unknown_effect", "no_backend", "failed", "waiting_person", "waiting_client"};
    const OrderedJson state = {{"enum", states}, {"description", "only runs that ended so"}};
    return {
        {"recent_runs", "List the last runs: id, time, agent, how it ended, what was asked.", object({{"limit", whole("how many, default 10", 1, 50)}, {"state", state}}), facts({{"count", "integer"}}),
         {Scope::admin}, Effect::pure, {Permission::memory_read}, quick, recent_runs},
        {"read_run", "Read one run: its steps with what each brought, and its answer.", object({{"run", text("the id of the run")}}, {"run"}), facts({{"steps", "integer"}}), {Scope::admin}, Effect::pure,
         {Permission::memory_read}, quick, read_run},
        {"usage", "How many calls and tokens the models took.", object({{"days", whole("of how many days, default 7", 1, 90)}}), facts({{"calls", "integer"}}), {Scope::admin}, Effect::pure,
         {Permission::memory_read}, quick, usage},
    };
}

}  // namespace tools
