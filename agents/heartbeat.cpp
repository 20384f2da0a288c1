#include "agents/heartbeat.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "policy/reply.h"
#include "store/outbox.h"
#include "store/schedules.h"

namespace agents {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 20s;  // whether it is time

struct Kind {
    std::string_view name;
    const char* one;   // {} stands for the subject, # for the count
    const char* many;
};
constexpr Kind kKinds[] = {
    {"runs_failed", "A run of {} has failed (hearth run list).", "# runs of {} have failed on one day (hearth run list)."},
    {"effect_unknown", "Of the run {} nobody knows whether it took effect (hearth run show).", nullptr},
    {"word_wanted", "A run waits for your word on {} (hearth approval list).", nullptr},
    {"not_delivered", "A message over {} did not arrive for sure (hearth outbox list).", "# messages over {} did not arrive for sure (hearth outbox list)."},
    {"not_done", "A schedule was {} (hearth schedule list --all).", "A schedule was {} # times on one day (hearth schedule list --all)."},
    {"probe", "{}", nullptr},
};

std::string sentence(const store::Surveyed& one) {
    const auto* const kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& row) { return row.name == one.kind; });
    if (kind == std::end(kKinds)) return {};
    std::string out;
    for (const char* c = one.count > 1 && kind->many ? kind->many : kind->one; *c; ++c) {
        if (c[0] == '{' && c[1] == '}') out += one.subject, ++c;
        else if (*c == '#') out += std::to_string(one.count);
        else out += *c;
    }
    return out;
}

}  // namespace

std::string finding_kinds() {
    std::string out;
    for (const Kind& kind : kKinds) out += (out.empty() ? "" : ",") + std::string(kind.name);
    return out;
}

std::vector<store::Finding> findings_of(const std::vector<store::Surveyed>& surveyed, const base::Probes& probes, const std::set<std::string>& silenced) {
    std::vector<store::Surveyed> all = surveyed;
    for (const base::Probe& probe : probes)
        if (probe.health == base::Health::failed) all.push_back({"probe", probe.name, probe.name + ": " + probe.found + (probe.remedy.empty() ? "" : " (" + probe.remedy + ")"), 1});
    std::vector<store::Finding> out;
    for (const store::Surveyed& one : all) {
        const std::string body = sentence(one);
        if (!body.empty() && !silenced.contains(one.kind)) out.push_back({one.kind, one.key, body});
    }
    return out;
}

std::string heartbeat_words(const std::vector<store::Finding>& findings) {
    std::string out;
    for (const store::Finding& one : findings)
        if (!one.told) out += (out.empty() ? "" : "\n") + one.body;
    return out;
}

net::Task<void> Heartbeat::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        timer.expires_after(std::min<std::chrono::seconds>(kBetweenLooks, options_.between));
        co_await timer.async_wait(boost::asio::use_awaitable);
        std::string trouble;
        try {
            co_await beat();
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (trouble != trouble_ && !trouble.empty()) parts_.log.warn("the heartbeat sees nothing", {{"reason", trouble}});
        trouble_ = trouble;
    }
}

net::Task<bool> Heartbeat::beat() {
    const base::Probes probes = parts_.probes();
    bool turn = false;
    const auto look = [&](store::Tx& tx) {
        turn = store::claim_beat(tx, options_.between);
        if (!turn) return std::vector<store::Finding>();
        store::note_findings(tx, findings_of(store::survey(tx), probes, options_.silenced));
        return store::list_findings(tx);
    };
    std::vector<store::Finding> untold = co_await parts_.db.run(parts_.owner, look);
    std::erase_if(untold, [](const store::Finding& one) { return one.told; });
    if (!untold.empty()) co_await tell(std::move(untold));
    co_return turn;
}

// Whoever talks is not interrupted: the next beat tells it.
net::Task<void> Heartbeat::tell(std::vector<store::Finding> untold) {
    const std::string words = heartbeat_words(untold);
    if (options_.channel.empty()) co_return;
    const auto pieces = parts_.pieces(options_.channel, words);
    if (!pieces) co_return;
    const policy::Principal to{parts_.owner.tenant, parts_.owner.person, policy::Role::owner, options_.channel, false};
    const std::string rule = policy::kReply;
    std::optional<tools::CallCount> counted;
    const policy::House house = co_await tools::house_of(&parts_.rules, parts_.db, to, rule, parts_.clock.now(), counted);
    const std::string emitter = "heartbeat:" + base::rfc3339(parts_.clock.now());
    const auto write = [&](store::Tx& tx) {
        const auto chat = store::chat_of(tx, options_.channel);
        if (!chat || store::talks_in(tx, options_.channel, *chat)) return false;
        store::Reply letter{options_.channel, *chat, emitter, *pieces};
        store::write_reply(tx, to, house, letter);
        for (const store::Finding& one : untold) store::note_told(tx, one);
        return true;
    };
    const bool told = co_await parts_.db.run(parts_.owner, write);
    if (told) parts_.log.info("the heartbeat has told the owner of something", {{"findings", untold.size()}});
}

}  // namespace agents
