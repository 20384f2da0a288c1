// hearth quality run: the scripted cases, asked of the running server, and what they say of a version of a prompt.
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/deployed_file.h"
#include "app/loading.h"
#include "app/prompt_version.h"
#include "app/quality_asker.h"
#include "app/terminal.h"
#include "store/digest.h"
#include "store/quality.h"

namespace app {
namespace {

using agents::quality::Case;
using agents::quality::Cases;
using base::Code;
using base::Json;
using store::PromptVersions;

base::Result<Cases> cases_of(const Settings& settings, const QualityOptions& options) {
    auto cases = agents::quality::read_cases(deployed_file(settings.quality_cases, "quality.yaml"));
    if (!cases) return cases;
    if (!options.bfcl.empty()) {
        auto more = agents::quality::read_bfcl(options.bfcl, options.each);
        if (!more) return more;
        cases->all.insert(cases->all.end(), more->all.begin(), more->all.end());
        cases->digest = store::sha256_hex(cases->digest + more->digest);
    }
    if (options.only.empty()) return cases;
    std::erase_if(cases->all, [&](const Case& one) { return fnmatch(options.only.c_str(), one.name.c_str(), 0) != 0; });
    if (cases->all.empty()) return base::error(Code::not_found, "no case's name has the form '" + options.only + "'");
    return cases;
}

struct Versions {
    PromptVersions live, tried;  // of every prompt
    PromptVersions asked;        // of those that are not live
};

base::Result<Versions> versions_of(const LoadedSettings& loaded, const std::vector<std::string>& named) {
    return as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<Versions> {
        Versions out;
        out.live = out.tried = store::live_versions(tx);
        for (const std::string& text : named) {
            const auto prompt = prompt_named(tx, text);
            if (!prompt) return prompt.error();
            if (out.asked.contains(prompt->name)) return base::error(Code::invalid_argument, "--prompt names two versions of '" + prompt->name + "'");
            if (out.live[prompt->name] == prompt->version)
                return base::error(Code::invalid_argument, "version " + std::to_string(prompt->version) + " of prompt '" + prompt->name + "' is live", "hearth quality run without --prompt measures what is live");
            out.tried[prompt->name] = out.asked[prompt->name] = prompt->version;
        }
        return out;
    });
}

struct Measured {
    store::QualityRun row;
    Json cases = Json::array();
    std::map<std::string, std::pair<int, int>> groups;  // passed, all
};

// Another hand may have made a version live meanwhile: then it is not known what was measured.
bool ran_with(const std::map<std::string, int>& ran, const PromptVersions& wanted) {
    return std::all_of(ran.begin(), ran.end(), [&](const auto& one) {
        const auto found = wanted.find(one.first);
        return found != wanted.end() && found->second == one.second;
    });
}

void take(const Case& one, const Asked& asked, double seconds, Measured& out) {
    const auto wrong = asked.refused.empty() ? agents::quality::judge(one.expect, asked.outcome) : std::vector{"refused: " + asked.refused};
    auto& [passed, all] = out.groups[one.group()];
    passed += wrong.empty();
    ++all;
    ++out.row.total;
    if (!wrong.empty()) out.row.failed.push_back(one.name);
    if (!wrong.empty() && one.must) out.row.failed_must.push_back(one.name);
    if (out.row.model.empty()) out.row.model = asked.model;
    out.cases.push_back({{"name", one.name}, {"passed", wrong.empty()}, {"must", one.must}, {"wrong", wrong}, {"answer", asked.outcome.text}, {"run_id", asked.run}, {"seconds", seconds}});
    std::fprintf(stderr, "%s %s  %.1f s\n", wrong.empty() ? "ok  " : "FAIL", visible(one.name).c_str(), seconds);
    for (const std::string& what : wrong) std::fprintf(stderr, "       %s\n", faint(one_line(what, 200)).c_str());
}

base::Result<Measured> measure(const std::string& socket, const Cases& cases, const PromptVersions& asked, const PromptVersions& versions) {
    Measured out;
    out.row.cases = cases.digest;
    out.row.versions = versions;
    for (const Case& one : cases.all) {
        const auto began = std::chrono::steady_clock::now();
        const auto answered = ask_case(socket, one, asked);
        if (interrupted) return base::error(Code::cancelled, "interrupted");
        if (!answered) return answered.error();
        if (!ran_with(answered->prompts, versions)) return base::error(Code::conflict, "what is live changed while the cases ran", "run them again");
        if (!out.row.model.empty() && !answered->model.empty() && answered->model != out.row.model)
            return base::error(Code::conflict, "the cases were answered by " + out.row.model + " and by " + answered->model, "run them while one model answers");
        take(one, *answered, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), out);
    }
    return out;
}

base::Result<void> save(const LoadedSettings& loaded, const store::QualityRun& row) {
    return as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<void> {
        store::save_quality_run(tx, row);
        return {};
    });
}

// What the version is held against: as it was measured once, or now.
base::Result<store::QualityRun> live_run(const LoadedSettings& loaded, const Cases& cases, const PromptVersions& live, const std::string& model) {
    auto known = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<std::optional<store::QualityRun>> { return store::find_quality_run(tx, live, model, cases.digest); });
    if (!known) return std::move(known).error();
    if (*known) return **std::move(known);
    std::fprintf(stderr, "%s\n", faint("now with what is live").c_str());
    auto measured = measure(loaded.settings.server.socket, cases, {}, live);
    if (!measured) return std::move(measured).error();
    if (measured->row.model != model) return base::error(Code::conflict, "the version was answered by " + model + ", what is live by " + measured->row.model, "run them while one model answers");
    if (auto saved = save(loaded, measured->row); !saved) return std::move(saved).error();
    return std::move(measured->row);
}

void print(const Measured& measured, const QualityOptions& options, const std::optional<store::QualityRun>& live) {
    std::printf("%-32s %6s\n", "group", "passed");
    for (const auto& [group, counts] : measured.groups) std::printf("%-32s %3d/%d\n", visible(group).c_str(), counts.first, counts.second);
    std::printf("%-32s %3d/%d  %s\n", "all", measured.row.passed(), measured.row.total, visible(measured.row.model).c_str());
    if (!live) return;
    std::string named;
    for (const std::string& prompt : options.prompts) named += (named.empty() ? "" : ", ") + prompt;
    std::printf("%s: %d of %d cases, live %d: %s\n", visible(named).c_str(), measured.row.passed(), measured.row.total, live->passed(), store::passes(measured.row, *live) ? "passes" : "fails");
    for (const std::string& name : measured.row.failed_must)
        if (std::count(live->failed.begin(), live->failed.end(), name) == 0) std::printf("  %s must pass, and does under what is live\n", visible(name).c_str());
}

Json json_of(const Measured& measured, const std::optional<store::QualityRun>& live, bool recorded) {
    Json groups = Json::object();
    for (const auto& [group, counts] : measured.groups) groups[group] = {{"passed", counts.first}, {"total", counts.second}};
    Json out = {{"model", measured.row.model}, {"cases_digest", measured.row.cases}, {"versions", measured.row.versions}, {"passed", measured.row.passed()}, {"total", measured.row.total},
                {"groups", groups}, {"cases", measured.cases}, {"recorded", recorded}, {"live", nullptr}, {"verdict", nullptr}};
    if (live) out["live"] = {{"passed", live->passed()}, {"total", live->total}, {"failed", live->failed}};
    if (live) out["verdict"] = store::passes(measured.row, *live) ? "passes" : "fails";
    return out;
}

int ended(const base::Error& error) { return interrupted ? 130 : complain(error); }

}  // namespace

int quality_run(const LoadedSettings& loaded, const QualityOptions& options) {
    const std::string& socket = loaded.settings.server.socket;
    const auto cases = cases_of(loaded.settings, options);
    if (!cases) return complain(cases.error());
    const auto versions = versions_of(loaded, options.prompts);
    if (!versions) return complain(versions.error());
    catch_interrupts();
    wait_while_loading(socket);
    const auto measured = measure(socket, *cases, versions->asked, versions->tried);
    if (!measured) return ended(measured.error());
    const bool recorded = options.only.empty();
    std::optional<store::QualityRun> live;
    if (recorded) {
        if (auto saved = save(loaded, measured->row); !saved) return complain(saved.error());
        if (!versions->asked.empty()) {
            auto held_against = live_run(loaded, *cases, versions->live, measured->row.model);
            if (!held_against) return ended(held_against.error());
            live = *std::move(held_against);
        }
    }
    if (options.json) print_json(json_of(*measured, live, recorded), 2);
    else print(*measured, options, live);
    if (!recorded) return measured->row.failed.empty() ? 0 : 1;
    return !live || store::passes(measured->row, *live) ? 0 : 1;
}

}  // namespace app
