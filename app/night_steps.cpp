#include "app/night_steps.h"

#include <algorithm>

#include "agents/read_ahead.h"
#include "agents/review.h"
#include "app/build_id.h"
#include "app/wire.h"
#include "base/split.h"
#include "memory/archive.h"
#include "store/people.h"

namespace app {

using base::Json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostPeople = 8;  // whose prompts are read ahead
constexpr auto kMorning = 7h;

}  // namespace

NightSteps::NightSteps(const Settings& settings, agents::Agents& agents, const agents::Parts& parts, agents::Options options, store::Identity owner, std::function<bool()> busy)
    : settings_(settings), agents_(agents), parts_(parts), options_(std::move(options)), owner_(owner), busy_(std::move(busy)), quality_(settings, agents, parts.db, parts.blocking, owner, busy_) {}

std::vector<std::string> night_step_names() { return {"consolidation", "self_review", "quality", "read_ahead"}; }

std::vector<agents::NightlyStep> NightSteps::wanted() {
    // name | deadline | function
    std::vector<agents::NightlyStep> table = {
        {"consolidation", 60min, [this](store::Day, base::StopToken stop) { return consolidate(stop); }},
        {"self_review", 2min, [this](store::Day, base::StopToken) { return review(); }},
        {"quality", 60min, [this](store::Day, base::StopToken stop) { return quality_.run(stop); }},
        {"read_ahead", 10min, [this](store::Day, base::StopToken stop) { return read_ahead(stop); }},  // last: the others push out of the cache what the batch has read
    };
    const auto names = base::split(settings_.nightly.also, ',');
    std::erase_if(table, [&](const agents::NightlyStep& step) { return std::find(names.begin(), names.end(), step.name) == names.end(); });
    return table;
}

net::Task<base::Result<Json>> NightSteps::consolidate(base::StopToken stop) {
    const auto list = [](store::Tx& tx) { return store::list_people(tx); };
    const std::vector<store::Person> people = co_await parts_.db.read(owner_, list);
    agents::Consolidated sum;
    int archived = 0;
    for (const store::Person& person : people) {
        const store::Identity who{owner_.tenant, person.id};
        const agents::Consolidated one = co_await agents_.consolidate(who, stop);
        sum.episodes += one.episodes;
        sum.segments += one.segments;
        sum.facts += one.facts;
        sum.read += one.read;
        sum.sections += one.sections;
        sum.vectors += one.vectors;
        if (!one.trouble.message.empty()) sum.trouble = one.trouble;
        const auto kept = co_await memory::archive(parts_.db, who, archive_folder(settings_), stop);
        if (kept) archived += kept->segments + kept->episodes;
        else sum.trouble = kept.error();
    }
    // What could be summed up is kept; the rest waits for another night.
    if (!sum.trouble.message.empty()) co_return base::error(sum.trouble.code, std::to_string(sum.episodes) + " episodes were made, then: " + sum.trouble.message, sum.trouble.remedy);
    const Json out = {{"people", people.size()}, {"episodes", sum.episodes}, {"segments", sum.segments}, {"facts", sum.facts}, {"read", sum.read}, {"sections", sum.sections}, {"vectors", sum.vectors}, {"archived", archived}};
    co_return out;
}

net::Task<base::Result<Json>> NightSteps::read_ahead(base::StopToken stop) {
    const auto list = [](store::Tx& tx) { return store::people_by_use(tx); };
    std::vector<base::PersonId> people = co_await parts_.db.read(owner_, list);
    if (std::find(people.begin(), people.end(), owner_.person) == people.end()) people.push_back(owner_.person);
    people.resize(std::min(people.size(), kMostPeople));
    std::vector<std::pair<store::Identity, std::string>> whom;
    for (const agents::AgentRow& row : agents_.cast().rows())
        for (const base::PersonId& person : people)
            if (person == owner_.person || row.key == "chat") whom.emplace_back(store::Identity{owner_.tenant, person}, row.name);
    const agents::Reader reader{parts_, options_, agents_.memory()};
    const base::TimePoint morning = next_morning();
    const agents::ReadAhead read = co_await agents::read_ahead(reader, std::move(whom), morning, busy_, stop);
    const Json out = {{"prompts", read.prompts}, {"prompt_tokens", read.tokens}};
    co_return out;
}

// When the first question comes for which a night reads: prompts tell the date, which may be another one then.
base::TimePoint NightSteps::next_morning() const {
    const base::TimePoint now = parts_.clock.now();
    const auto zone = agents::Zone::find(settings_.nightly.zone);
    if (!zone) return now;
    const auto today = std::chrono::floor<std::chrono::days>(zone->local(now));
    return std::max(now, zone->first(agents::LocalTime(today + kMorning)));
}

net::Task<base::Result<Json>> NightSteps::review() {
    const auto look = [&](store::Tx& tx) { return agents::review(tx, parts_.clock.now(), build_id()); };
    const agents::Reviewed found = co_await parts_.db.run(owner_, look);
    const Json out = {{"failures", found.failures}, {"new_issues", found.fresh}, {"known", found.known}, {"back", found.back}};
    co_return out;
}

}  // namespace app
