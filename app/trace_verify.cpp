// hearth trace verify: with and without a running server, on the database itself.
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "store/trace_keeping.h"

namespace app {
namespace {

using base::Code;

constexpr int kAtOnce = 100;  // runs of one transaction

// What was looked at, as it goes along.
struct Found {
    std::int64_t runs = 0, spans = 0, erased = 0;
    base::Json faults = base::Json::array();
    store::AnchorVerdict anchors;

    void take(const store::RunVerdict& verdict) {
        ++runs;
        spans += verdict.spans;
        erased += verdict.erased;
        if (!verdict.fault) return;
        faults.push_back({{"run", verdict.run.text()}, {"position", verdict.fault->position}, {"what", verdict.fault->what},
                          {"span", verdict.fault->span.is_nil() ? base::Json(nullptr) : base::Json(verdict.fault->span.text())}});
    }
    bool whole() const { return faults.empty() && anchors.faults.empty(); }
};

base::Result<base::RunId> chosen_run(OwnersDb& opened, const std::string& wanted) {
    const auto find = [&](store::Tx& tx) { return store::runs_named(tx, wanted, 2); };
    const auto found = opened.db->run_blocking(opened.owner, find, store::Db::Access::read);
    if (found.empty()) return base::error(Code::not_found, wanted.empty() ? "there are no runs yet" : "there is no run '" + wanted + "'", "hearth trace list tells which runs there are; hearth trace verify --all tells of those that are gone");
    if (found.size() > 1 && !wanted.empty()) return base::error(Code::invalid_argument, "more than one run begins with '" + wanted + "': " + found[0].text() + ", " + found[1].text(), "name one whole");
    return found[0];
}

void verify_all(OwnersDb& opened, const std::filesystem::path& state_folder, Found& found) {
    std::optional<base::RunId> before;
    const auto some = [&](store::Tx& tx) {
        const auto verdicts = store::verify_runs(tx, before, kAtOnce);
        for (const auto& verdict : verdicts) found.take(verdict);
        if (!verdicts.empty()) before = verdicts.back().run;
        return verdicts.size();
    };
    while (opened.db->run_blocking(opened.owner, some, store::Db::Access::read) == std::size_t(kAtOnce))
        show_progress("verifying runs", std::uint64_t(found.runs), 0);
    end_progress();
    const auto anchors = [&](store::Tx& tx) { return store::verify_anchors(tx, state_folder); };
    found.anchors = opened.db->run_blocking(opened.owner, anchors, store::Db::Access::read);
}

void print(const Found& found, bool all) {
    for (const auto& fault : found.faults) std::printf("%s\n", visible(fault["what"].get<std::string>()).c_str());
    for (const auto& fault : found.anchors.faults) std::printf("%s\n", visible(fault).c_str());
    std::printf("%lld %s, %lld spans%s", static_cast<long long>(found.runs), found.runs == 1 ? "run" : "runs", static_cast<long long>(found.spans),
                found.erased > 0 ? (", " + std::to_string(found.erased) + " of them with an erased body").c_str() : "");
    if (all) std::printf("; %lld daily anchors of %lld heads", static_cast<long long>(found.anchors.anchors), static_cast<long long>(found.anchors.heads));
    std::printf(": %s\n", found.whole() ? "whole" : "NOT as they were written");
}

}  // namespace

int trace_verify(const LoadedSettings& loaded, const std::string& wanted, bool all, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    Found found;
    if (all) {
        verify_all(*opened, loaded.settings.state_folder, found);
    } else {
        const auto run = chosen_run(*opened, wanted);
        if (!run) return complain(run.error());
        const auto one = [&](store::Tx& tx) { found.take(store::verify_run(tx, *run)); };
        opened->db->run_blocking(opened->owner, one, store::Db::Access::read);
    }
    if (json)
        print_json({{"whole", found.whole()}, {"runs", found.runs}, {"spans", found.spans}, {"erased", found.erased}, {"faults", found.faults},
                    {"anchors", {{"anchors", found.anchors.anchors}, {"heads", found.anchors.heads}, {"faults", found.anchors.faults}}}});
    else print(found, all);
    return found.whole() ? 0 : 1;
}

}  // namespace app
