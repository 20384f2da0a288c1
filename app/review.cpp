// hearth review: what fails again and again, and what becomes of it. Works without a running server.
#include "agents/review.h"

#include <cstdio>

#include "app/build_id.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "base/clock.h"

namespace app {
namespace {

using base::Json;
using store::Issue;

Json issue_json(const Issue& one) {
    Json runs = Json::array();
    for (const auto& run : one.seen.runs) runs.push_back(run.text());
    const auto build = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    return {{"id", one.id.text()}, {"title", one.seen.title}, {"state", one.state}, {"count", one.seen.count}, {"first", base::rfc3339(one.seen.first)}, {"last", base::rfc3339(one.seen.last)},
            {"first_build", one.first_build}, {"fixed_build", build(one.fixed_build)}, {"regressed_build", build(one.regressed_build)}, {"runs", std::move(runs)}};
}

void print_line(const Issue& one) {
    std::printf("%s  %-13s %4lld×  last %s  %s%s\n", one.id.text().c_str(), one.state.c_str(), static_cast<long long>(one.seen.count), base::rfc3339(one.seen.last).substr(0, 16).c_str(),
                visible(one.seen.title).c_str(), one.regressed_build.empty() ? "" : "  (it is back)");
}

}  // namespace

int review_run(const LoadedSettings& loaded, bool json) {
    const auto now = base::SystemClock().now();
    const auto done = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<agents::Reviewed> { return agents::review(tx, now, build_id()); });
    if (!done) return complain(done.error());
    if (json) print_json({{"failures", done->failures}, {"new", done->fresh}, {"known", done->known}, {"back", done->back}});
    else std::printf("%zu failures: %d new issues, %d known, %d that are back\n", done->failures, done->fresh, done->known, done->back);
    return 0;
}

int review_list(const LoadedSettings& loaded, bool closed, bool json) {
    const auto found = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<std::vector<Issue>> { return store::list_issues(tx, closed); });
    if (!found) return complain(found.error());
    Json out = Json::array();
    for (const Issue& one : *found) {
        out.push_back(issue_json(one));
        if (!json) print_line(one);
    }
    if (json) print_json(out);
    else if (found->empty()) std::puts("there are none");
    return 0;
}

int review_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto one = as_owner(loaded.settings, [&](store::Tx& tx) { return store::find_issue(tx, id); });
    if (!one) return complain(one.error());
    if (json) {
        print_json(issue_json(*one));
        return 0;
    }
    print_line(*one);
    std::printf("  first %s in build %s\n", base::rfc3339(one->seen.first).substr(0, 16).c_str(), visible(one->first_build).c_str());
    if (!one->fixed_build.empty()) std::printf("  fixed in build %s\n", visible(one->fixed_build).c_str());
    if (!one->regressed_build.empty()) std::printf("  back in build %s\n", visible(one->regressed_build).c_str());
    for (const auto& run : one->seen.runs) std::printf("  hearth trace show %s\n", run.text().c_str());
    return 0;
}

int review_mark(const LoadedSettings& loaded, const std::string& id, const std::string& state, bool json) {
    const auto mark = [&](store::Tx& tx) -> base::Result<Issue> {
        const auto found = store::find_issue(tx, id);
        if (!found) return found.error();
        if (auto marked = store::mark_issue(tx, found->id, state); !marked) return std::move(marked).error();
        return store::find_issue(tx, found->id.text());
    };
    const auto one = as_owner(loaded.settings, mark);
    if (!one) return complain(one.error());
    if (json) print_json(issue_json(*one));
    else print_line(*one);
    return 0;
}

}  // namespace app
