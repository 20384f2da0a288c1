#include "store/quality.h"

#include <algorithm>
#include <set>

namespace store {
namespace {

const std::string kColumns = "model, cases, versions, total, failed, failed_must, " + micros("created_at");

QualityRun run_of(const Row& row) {
    return {row.text(0), row.text(1), row.json(2).get<PromptVersions>(), int(row.integer(3)), row.json(4).get<std::vector<std::string>>(),
            row.json(5).get<std::vector<std::string>>(), row.time(6)};
}

std::string told(const QualityRun& tried, const QualityRun& live) {
    return std::to_string(tried.passed()) + " of " + std::to_string(tried.total) + " cases, live " + std::to_string(live.passed());
}

}  // namespace

PromptVersions live_versions(Tx& tx) {
    PromptVersions out;
    for (const Row& row : tx.exec("select name, version from prompt_label where label = 'live'")) out[row.text(0)] = int(row.integer(1));
    return out;
}

void save_quality_run(Tx& tx, const QualityRun& run) {
    tx.send("insert into quality_run (model, cases, versions, total, failed, failed_must) values ($1, $2, $3::jsonb, $4, $5::jsonb, $6::jsonb)",
            {run.model, run.cases, base::Json(run.versions), run.total, base::Json(run.failed), base::Json(run.failed_must)});
}

std::optional<QualityRun> find_quality_run(Tx& tx, const PromptVersions& versions, const std::string& model, const std::string& cases) {
    const auto rows = tx.exec("select " + kColumns + " from quality_run where versions = $1::jsonb and model = $2 and cases = $3 order by created_at desc limit 1",
                              {base::Json(versions), model, cases});
    return rows.empty() ? std::nullopt : std::optional(run_of(rows[0]));
}

bool passes(const QualityRun& tried, const QualityRun& live) {
    if (tried.passed() == 0 || tried.passed() < live.passed()) return false;
    return std::all_of(tried.failed_must.begin(), tried.failed_must.end(),
                       [&](const std::string& name) { return std::count(live.failed.begin(), live.failed.end(), name) > 0; });
}

base::Result<std::string> quality_grounds(Tx& tx, const std::string& name, int version) {
    const PromptVersions live = live_versions(tx);
    PromptVersions tried = live;
    tried[name] = version;
    std::string newest;
    std::set<std::pair<std::string, std::string>> measured;  // by model and cases: the newest run says it
    for (const Row& row : tx.exec("select " + kColumns + " from quality_run where versions = $1::jsonb order by created_at desc", {base::Json(tried)})) {
        const QualityRun run = run_of(row);
        if (!measured.emplace(run.model, run.cases).second) continue;
        const auto held_against = find_quality_run(tx, live, run.model, run.cases);
        if (!held_against) continue;
        const std::string text = told(run, *held_against);
        if (passes(run, *held_against)) return text;
        if (newest.empty()) newest = ": " + text;
    }
    return base::error(base::Code::conflict, "nothing speaks for version " + std::to_string(version) + " of prompt '" + name + "' beside the versions that are live" + newest,
                       "hearth quality run --prompt " + name + "@" + std::to_string(version) + " measures it; --override REASON makes it live on your word alone");
}

}  // namespace store
