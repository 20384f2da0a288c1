#include "app/night_steps.h"

#include <algorithm>

#include "agents/review.h"
#include "app/build_id.h"
#include "app/wire.h"
#include "base/split.h"
#include "memory/archive.h"
#include "store/people.h"

namespace app {

using base::Json;
using namespace std::chrono_literals;

NightSteps::NightSteps(const Settings& settings, agents::Agents& agents, store::Db& db, boost::asio::thread_pool& blocking, const base::Clock& clock, store::Identity owner, std::function<bool()> busy)
    : settings_(settings), agents_(agents), db_(db), clock_(clock), owner_(owner), quality_(settings, agents, db, blocking, owner, std::move(busy)) {}

std::vector<std::string> night_step_names() { return {"consolidation", "self_review", "quality"}; }

std::vector<agents::NightlyStep> NightSteps::wanted() {
    // name | deadline | function
    std::vector<agents::NightlyStep> table = {
        {"consolidation", 60min, [this](store::Day, base::StopToken stop) { return consolidate(stop); }},
        {"self_review", 2min, [this](store::Day, base::StopToken) { return review(); }},
        {"quality", 60min, [this](store::Day, base::StopToken stop) { return quality_.run(stop); }},
    };
    const auto names = base::split(settings_.nightly.also, ',');
    std::erase_if(table, [&](const agents::NightlyStep& step) { return std::find(names.begin(), names.end(), step.name) == names.end(); });
    return table;
}

net::Task<base::Result<Json>> NightSteps::consolidate(base::StopToken stop) {
    const auto list = [](store::Tx& tx) { return store::list_people(tx); };
    const std::vector<store::Person> people = co_await db_.read(owner_, list);
    agents::Consolidated sum;
    int archived = 0;
    for (const store::Person& person : people) {
        const store::Identity who{owner_.tenant, person.id};
        const agents::Consolidated one = co_await agents_.consolidate(who, stop);
        sum.episodes += one.episodes;
        sum.segments += one.segments;
        sum.facts += one.facts;
        sum.read += one.read;
        sum.vectors += one.vectors;
        if (!one.trouble.message.empty()) sum.trouble = one.trouble;
        const auto kept = co_await memory::archive(db_, who, archive_folder(settings_), stop);
        if (kept) archived += kept->segments + kept->episodes;
        else sum.trouble = kept.error();
    }
    // What could be summed up is kept; the rest waits for another night.
    if (!sum.trouble.message.empty()) co_return base::error(sum.trouble.code, std::to_string(sum.episodes) + " episodes were made, then: " + sum.trouble.message, sum.trouble.remedy);
    const Json out = {{"people", people.size()}, {"episodes", sum.episodes}, {"segments", sum.segments}, {"facts", sum.facts}, {"read", sum.read}, {"vectors", sum.vectors}, {"archived", archived}};
    co_return out;
}

net::Task<base::Result<Json>> NightSteps::review() {
    const auto look = [&](store::Tx& tx) { return agents::review(tx, clock_.now(), build_id()); };
    const agents::Reviewed found = co_await db_.run(owner_, look);
    const Json out = {{"failures", found.failures}, {"new_issues", found.fresh}, {"known", found.known}, {"back", found.back}};
    co_return out;
}

}  // namespace app
