// hearth schedule: what agents do at a time, or again and again. Works without a running server, which does it.
#include <cstdio>

#include "agents/cron_words.h"
#include "agents/schedule_orders.h"
#include "app/cast.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/table.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "store/runs.h"

namespace app {
namespace {

using base::Code;
using base::Json;
using store::Schedule;

constexpr int kMostShown = 20;  // times that it came due

std::string words_of(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

std::string next_text(const Schedule& one) {
    if (one.ended) return "over";
    if (one.paused) return "paused";
    return agents::to_json(one).value("next_there", "");
}

// When it comes due, as it was understood; of what comes once there are its own words.
std::string when_text(const Schedule& one) { return one.cron.empty() ? one.said : agents::cron_words(one.cron); }

base::Result<Schedule> schedule_from(const LoadedSettings& loaded, const ScheduleOptions& o) {
    const auto cast = cast_of(loaded.settings);
    if (!cast) return cast.error();
    if (!(*cast)->find(o.agent)) return base::error(Code::not_found, "there is no agent " + o.agent, "there are " + (*cast)->names());
    agents::ScheduleOrder order{o.when, words_of(o.words), o.zone.empty() ? loaded.settings.nightly.zone : o.zone, o.agent, store::parse_missed(o.missed).value(), o.silent};
    auto made = agents::schedule_of(order, base::SystemClock().now());
    if (!made) return std::move(made).error();
    if (const auto* const question = std::get_if<agents::Question>(&*made)) return base::error(Code::invalid_argument, "'" + o.when + "': " + question->all(), "say it so that it means one thing");
    return std::get<Schedule>(*std::move(made));
}

int change(const LoadedSettings& loaded, const std::string& id, agents::ScheduleChange wanted, const char* what, bool json) {
    const auto now = base::SystemClock().now();
    const auto one = as_owner(loaded.settings, [&](store::Tx& tx) { return agents::change_schedule(tx, id, wanted, now); });
    if (!one) return complain(one.error());
    if (json) print_json(agents::to_json(*one));
    else std::printf("%s %s\n", one->id.text().c_str(), what);
    return 0;
}

}  // namespace

int schedule_add(const LoadedSettings& loaded, const ScheduleOptions& o) {
    auto made = schedule_from(loaded, o);
    if (!made) return complain(made.error());
    const auto kept = as_owner(loaded.settings, [&](store::Tx& tx) { return agents::keep_schedule(tx, *made, o.channel); });
    if (!kept) return complain(kept.error());
    if (o.json) {
        Json out = agents::to_json(kept->schedule);
        out["merged"] = kept->merged;
        print_json(out);
    } else {
        std::printf("%s %s: %s, next on %s %s\n", kept->schedule.id.text().c_str(), kept->merged ? "is there already" : "added", visible(when_text(kept->schedule)).c_str(), next_text(kept->schedule).c_str(),
                    visible(kept->schedule.zone).c_str());
    }
    return 0;
}

int schedule_list(const LoadedSettings& loaded, bool ended, bool json) {
    const auto found = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<std::vector<Schedule>> { return store::list_schedules(tx, ended); });
    if (!found) return complain(found.error());
    Json out = Json::array();
    Table table({"id", "when", "next on", "what"});
    for (const Schedule& one : *found) {
        out.push_back(agents::to_json(one));
        table.add({one.id.text(), when_text(one), next_text(one) + (one.next && !one.paused ? " " + one.zone : ""), one.prompt.substr(0, one.prompt.find('\n'))});
    }
    if (json) print_json(out);
    else if (found->empty()) std::puts("nothing is scheduled");
    else table.print();
    return 0;
}

int schedule_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    struct Shown {
        Schedule schedule;
        std::vector<store::Fire> fires;
        std::string answer;
    };
    const auto read = [&](store::Tx& tx) -> base::Result<Shown> {
        auto found = store::find_schedule(tx, id);
        if (!found) return std::move(found).error();
        Shown out{*std::move(found), {}, {}};
        out.fires = store::fires_of(tx, out.schedule.id, kMostShown);
        for (const auto& fire : out.fires) {
            if (fire.state != "done") continue;
            const auto run = store::find_run(tx, fire.run);
            if (run && run->turn.is_object()) out.answer = agents::scheduled_words(run->turn.value("answer", ""), out.schedule.silent);
            break;
        }
        return out;
    };
    const auto shown = as_owner(loaded.settings, read);
    if (!shown) return complain(shown.error());
    Json out = agents::to_json(shown->schedule);
    out["fires"] = Json::array();
    for (const auto& fire : shown->fires) out["fires"].push_back(agents::to_json(fire));
    out["answer"] = shown->answer;
    if (json) {
        print_json(out);
        return 0;
    }
    const Schedule& one = shown->schedule;
    std::printf("%s  %s (%s%s)\n  %s\n  next: %s   missed: %s   answer: %s%s\n", one.id.text().c_str(), visible(one.said).c_str(), one.cron.empty() ? "" : visible(when_text(one) + ", ").c_str(), visible(one.zone).c_str(),
                visible(one.prompt).c_str(), next_text(one).c_str(), std::string(store::name(one.missed)).c_str(), one.bridge.empty() ? "kept" : visible(one.bridge).c_str(), one.silent ? ", if there is one" : "");
    for (const auto& fire : shown->fires)
        std::printf("  %s  %-8s %s  %s\n", base::rfc3339(fire.instant).substr(0, 19).c_str(), fire.state.c_str(), fire.run.is_nil() ? "" : fire.run.text().c_str(), visible(fire.outcome).c_str());
    if (!shown->answer.empty()) std::printf("\n%s\n", visible(shown->answer).c_str());
    return 0;
}

int schedule_run(const LoadedSettings& loaded, const std::string& id, bool json) { return change(loaded, id, agents::ScheduleChange::run, "is done now", json); }

int schedule_pause(const LoadedSettings& loaded, const std::string& id, bool paused, bool json) {
    return change(loaded, id, paused ? agents::ScheduleChange::pause : agents::ScheduleChange::resume, paused ? "is paused" : "goes on", json);
}

int schedule_remove(const LoadedSettings& loaded, const std::string& id, bool json) { return change(loaded, id, agents::ScheduleChange::end, "is over", json); }

}  // namespace app
