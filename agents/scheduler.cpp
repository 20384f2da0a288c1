#include "agents/scheduler.h"

#include <boost/asio/steady_timer.hpp>

#include "agents/sayings.h"
#include "store/conversations.h"
#include "store/outbox.h"
#include "store/runs.h"
#include "store/senders.h"

namespace agents {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s;
constexpr int kMostAtOnce = 200;
constexpr auto kPatience = 10min;  // with which a text waits for a process that has its channel

// What is told of a run that has ended; empty: nothing.
std::string words_of(const store::Run& run, const store::Schedule& schedule, base::Language language) {
    const std::string answer = run.turn.is_object() ? run.turn.value("answer", "") : "";
    if (run.status == "answered" || !answer.empty()) return scheduled_words(answer, schedule.silent);
    if (run.status == "cancelled") return {};
    return said(language, Saying::schedule_failed, {schedule.said, run.error.empty() ? run.status : run.error});
}

// So that a word about it is understood in the chat. The label of the run goes with it.
void remember_in(store::Tx& tx, base::ConversationId talk, base::RunId run, const store::Schedule& schedule, const std::string& words) {
    base::Json asked = {{"role", "user"}, {"content", "[" + schedule.said + "] " + schedule.prompt}};
    if (!schedule.trusted) asked["trusted"] = false;
    const base::Json answer = {{"role", "assistant"}, {"content", words}};
    store::append_message(tx, talk, run, asked);
    store::append_message(tx, talk, run, answer);
}

}  // namespace

bool Scheduler::is_new_trouble(const std::string& what) { return std::exchange(trouble_, what) != what && !what.empty(); }

net::Task<void> Scheduler::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        std::string trouble;
        try {
            while (co_await look()) continue;
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (is_new_trouble(trouble)) parts_.log.warn("schedules are not looked at", {{"reason", trouble}});
        timer.expires_after(kBetweenLooks);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

net::Task<bool> Scheduler::look() {
    bool did = false;
    const base::TimePoint now = parts_.clock.now();
    const auto list_due = [&](store::Tx& tx) { return store::due_schedules(tx, now, kMostAtOnce); };
    const std::vector<store::DueSchedule> due = co_await parts_.db.read(parts_.house, list_due);
    for (const store::DueSchedule& one : due) {
        const bool done = co_await come_due(one, now);
        did |= done;
    }
    const auto list_open = [](store::Tx& tx) { return store::open_fires(tx, kMostAtOnce); };
    const std::vector<store::OpenFire> open = co_await parts_.db.read(parts_.house, list_open);
    for (const store::OpenFire& one : open) {
        bool done = false;
        if (!one.run.is_nil()) done = co_await tell(one);
        else if (parts_.may_begin()) done = co_await begin(one);
        did |= done;
    }
    co_return did;
}

net::Task<bool> Scheduler::come_due(store::DueSchedule due, base::TimePoint now) {
    std::string broken;
    const auto note = [&](store::Tx& tx) {
        const auto schedule = store::take_due(tx, due.id, now);
        if (!schedule) return false;
        const auto times = due_of(*schedule, now);
        if (!times) {
            broken = times.error().text();
            store::note_fire(tx, due.id, *schedule->next, "refused", broken);
            store::move_on(tx, due.id, std::nullopt);
            return true;
        }
        if (times->skipped) store::note_fire(tx, due.id, *times->skipped, "skipped", times->why);
        if (times->fires) store::note_fire(tx, due.id, *times->fires, "due");
        store::move_on(tx, due.id, times->next);
        return true;
    };
    const bool did = co_await parts_.db.run(due.who, note);
    if (!broken.empty()) parts_.log.error("a schedule cannot be kept", {{"schedule", due.id.text()}, {"reason", broken}});
    co_return did;
}

net::Task<bool> Scheduler::begin(store::OpenFire fire) {
    const std::string id = fire.schedule.text();
    bool in_company = false;  // as where it was made
    const auto find = [&](store::Tx& tx) {
        auto found = store::find_schedule(tx, id);
        in_company = found && store::place_in_chat(tx, found->bridge, found->chat).in_company;
        return found;
    };
    const auto schedule = co_await parts_.db.read(fire.who, find);
    if (!schedule) co_return false;
    Submission order;
    order.chat.principal = {fire.who.tenant, fire.who.person, policy::parse_role(fire.role).value_or(policy::Role::guest), via_schedule(fire.schedule), false};
    order.chat.alias = schedule->agent;
    order.chat.channel = "schedule";
    order.chat.label = schedule->said;
    order.chat.instructions = scheduled_manner(*schedule, fire.instant);
    order.chat.joins = false;
    order.chat.before_others = in_company;
    base::Json message = {{"role", "user"}, {"content", schedule->prompt}};
    if (!schedule->trusted) message["trusted"] = false;
    order.chat.messages.push_back(std::move(message));
    order.within = [fire](store::Tx& tx, base::RunId run) -> base::Result<void> {
        if (store::give_run(tx, fire, run)) return {};
        return base::error(Code::conflict, "another process has begun it");
    };
    const auto taken = co_await parts_.agents.submit(std::move(order));
    if (taken) {
        parts_.log.info("a schedule came due", {{"schedule", id}, {"instant", base::rfc3339(fire.instant)}, {"run", taken->run.text()}});
        co_return true;
    }
    const base::Error& why = taken.error();
    if (why.code == Code::conflict) co_return false;
    if (why.code == Code::unavailable || why.code == Code::resource_exhausted) {  // it waits until there is room
        if (is_new_trouble(why.text())) parts_.log.warn("what was scheduled waits to be taken in", {{"schedule", id}, {"reason", why.text()}});
        co_return false;
    }
    parts_.log.warn("what was scheduled was refused", {{"schedule", id}, {"reason", why.text()}});
    co_await settle(fire, "refused", why.text());
    co_return true;
}

net::Task<void> Scheduler::settle(store::OpenFire fire, std::string state, std::string outcome) {
    const auto write = [&](store::Tx& tx) { return store::settle_fire(tx, fire, state, outcome); };
    co_await parts_.db.run(fire.who, write);
}

// What leaves is written with the end of it: it is told once. Whoever talks there is not interrupted.
net::Task<bool> Scheduler::tell(store::OpenFire fire) {
    struct Found {
        base::Result<store::Schedule> schedule;
        std::optional<store::Run> run;
        base::Language language;
        store::ChatPlace place;
    };
    const auto find = [&](store::Tx& tx) {
        auto schedule = store::find_schedule(tx, fire.schedule.text());
        const std::string bridge = schedule ? schedule->bridge : std::string();
        const store::ChatPlace place = schedule ? store::place_in_chat(tx, bridge, schedule->chat) : store::ChatPlace{};
        return Found{std::move(schedule), store::find_run(tx, fire.run), base::language_of(store::language_in(tx, fire.who.person, bridge)), place};
    };
    const Found found = co_await parts_.db.read(fire.who, find);
    if (!found.schedule || !found.run || !found.run->ended()) co_return false;
    const store::Schedule& schedule = *found.schedule;
    const std::string words = words_of(*found.run, schedule, found.language);
    std::string outcome = words.empty() ? "nothing to say" : "kept";
    if (found.place.left && !words.empty()) outcome = "kept: who wanted it has left the chat";
    if (schedule.bridge.empty() || words.empty() || found.place.left) {
        co_await settle(fire, "done", outcome);
        co_return true;
    }
    const auto pieces = parts_.pieces(schedule.bridge, words);
    if (!pieces) {
        if (parts_.clock.now() - found.run->finished < kPatience) co_return false;
        co_await settle(fire, "done", "kept: no server has the channel " + schedule.bridge);
        co_return true;
    }
    const policy::Principal to{fire.who.tenant, fire.who.person, policy::parse_role(fire.role).value_or(policy::Role::guest), schedule.bridge, false};
    const std::string reply_rule = policy::kReply;
    std::optional<tools::CallCount> counted;
    const policy::House house = co_await tools::house_of(&parts_.rules, parts_.db, to, reply_rule, parts_.clock.now(), counted);
    const bool may_wait = parts_.clock.now() - found.run->finished < kPatience;
    const auto write = [&](store::Tx& tx) {
        const auto talk = store::conversation_in_chat(tx, schedule.bridge, schedule.chat);
        store::lock_conversation(tx, talk);
        const bool talks = !store::busy_run(tx, talk).is_nil();
        if (talks && may_wait) return false;
        store::Reply reply{schedule.bridge, schedule.chat, "run:" + fire.run.text(), *pieces};
        reply.label = policy::parse_integrity(found.run->turn.value("label", ""));
        const policy::Decision decision = store::write_reply(tx, to, house, reply);
        if (!talks && decision.verdict == policy::Verdict::allow) remember_in(tx, talk, fire.run, schedule, words);
        return store::settle_fire(tx, fire, "done", decision.verdict == policy::Verdict::deny ? "kept: " + decision.message : "told");
    };
    co_return co_await parts_.db.run(fire.who, write);
}

}  // namespace agents
