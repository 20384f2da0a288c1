#include "app/quality_night.h"

#include "agents/yielding.h"
#include "app/case_folder.h"
#include "app/deployed_file.h"
#include "store/ledger.h"
#include "store/traces.h"

namespace app {
namespace {

using agents::quality::Case;
using agents::quality::Cases;
using base::Code;
using base::Json;

constexpr int kSeed = 1;  // as hearth quality run asks

std::vector<router::ToolSchema> tools_of(const Case& one) {
    std::vector<router::ToolSchema> out;
    for (const auto& tool : one.tools) {
        const auto& function = tool.at("function");
        out.push_back({function.at("name").get<std::string>(), function.value("description", ""), function.value("parameters", base::OrderedJson::object())});
    }
    return out;
}

Json parsed(const std::string& arguments) {
    auto json = base::parse_json(arguments);
    return json ? *std::move(json) : Json();
}

}  // namespace

struct QualityNight::Asked {
    agents::quality::Outcome outcome;
    std::string model;
    store::PromptVersions prompts;
};

QualityNight::QualityNight(const Settings& settings, agents::Agents& agents, store::Db& db, boost::asio::thread_pool& blocking, store::Identity owner, std::function<bool()> busy)
    : settings_(settings), agents_(agents), db_(db), blocking_(blocking), owner_(owner), busy_(std::move(busy)) {}

net::Task<base::Result<agents::ChatResult>> QualityNight::ask_turns(const Case& one, const std::string& folder, base::StopToken stop) {
    agents::ChatResult last;
    const agents::EventSink nobody;
    for (const auto& messages : one.turns) {
        agents::ChatRequest request;
        request.principal.tenant = owner_.tenant;
        request.principal.person = owner_.person;
        request.principal.role = policy::Role::owner;
        request.principal.via = "nightly";
        request.alias = one.agent;
        request.messages = messages;
        request.channel = "nightly";
        request.conversation = last.conversation;
        request.client_tools = tools_of(one);
        request.sampling.temperature = 0;
        request.sampling.seed = kSeed;
        request.may_name_folders = true;
        if (one.agent == "hearth/dev") request.workspace_path = folder;
        request.stop = stop;
        auto answer = co_await agents_.chat(std::move(request), nobody);
        if (!answer) co_return std::move(answer).error();
        last = *std::move(answer);
    }
    co_return last;
}

net::Task<base::Result<QualityNight::Asked>> QualityNight::ask(const Case& one, base::StopToken stop) {
    const auto make = [&] { return CaseFolder::make(one.files); };
    auto folder = co_await net::on_pool(blocking_, make);
    if (!folder) co_return std::move(folder).error();
    const std::string path = (*folder)->path().string();
    const auto last = co_await ask_turns(one, path, stop);
    if (!last && last.error().code != Code::invalid_argument) co_return last.error();
    Asked out;
    out.outcome.state = last ? last->final_state : "refused";
    if (last) {
        out.outcome.text = last->response;
        for (const auto& call : last->client_calls) out.outcome.client_calls.push_back({call.name, parsed(call.arguments)});
        const auto read = [&](store::Tx& tx) {
            for (const auto& step : store::list_steps(tx, last->run))
                if (step.kind == "tool") out.outcome.calls.push_back({step.name, step.input});
            for (const auto& span : store::read_trace(tx, last->run).spans) {
                if (!span.parent.is_nil()) continue;
                out.model = span.attributes.value("model", "");
                out.prompts = span.attributes.value("prompts", store::PromptVersions{});
            }
        };
        co_await db_.read(owner_, read);
    }
    const auto look = [&] { return (*folder)->read(); };
    out.outcome.files = co_await net::on_pool(blocking_, look);
    co_return out;
}

net::Task<bool> QualityNight::measured(const store::QualityRun& row) {
    const auto find = [&](store::Tx& tx) { return store::find_quality_run(tx, row.versions, row.model, row.cases).has_value(); };
    co_return co_await db_.read(owner_, find);
}

net::Task<base::Result<Json>> QualityNight::run(base::StopToken stop) {
    const auto read = [&] { return agents::quality::read_cases(deployed_file(settings_.quality_cases, "quality.yaml")); };
    const base::Result<Cases> cases = co_await net::on_pool(blocking_, read);
    if (!cases) co_return cases.error();
    const auto versions = [](store::Tx& tx) { return store::live_versions(tx); };
    store::QualityRun row;
    row.cases = cases->digest;
    row.versions = co_await db_.read(owner_, versions);
    for (const Case& one : cases->all) {
        co_await agents::let_people_first(busy_, stop);
        if (stop.stopped()) co_return base::error(Code::deadline, "only " + std::to_string(row.total) + " of " + std::to_string(cases->all.size()) + " cases could be asked in its time");
        const auto asked = co_await ask(one, stop);
        if (!asked) co_return asked.error();
        if (row.model.empty()) row.model = asked->model;
        if (row.total == 0) {
            const bool known = co_await measured(row);
            if (known) {
                const Json out = {{"measured", false}, {"why", "what is live was measured with " + row.model + " already"}};
                co_return out;
            }
        }
        ++row.total;
        if (agents::quality::judge(one.expect, asked->outcome).empty()) continue;
        row.failed.push_back(one.name);
        if (one.must) row.failed_must.push_back(one.name);
    }
    const auto still_live = [](store::Tx& tx) { return store::live_versions(tx); };
    const auto now = co_await db_.read(owner_, still_live);
    if (now != row.versions) co_return base::error(Code::conflict, "what is live changed while the cases ran", "the next night asks them again");
    const auto save = [&](store::Tx& tx) { store::save_quality_run(tx, row); };
    co_await db_.run(owner_, save);
    const Json out = {{"measured", true}, {"model", row.model}, {"passed", row.passed()}, {"total", row.total}, {"failed", row.failed}};
    co_return out;
}

}  // namespace app
