#include "agents/heartbeat.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "agents/sayings.h"
#include "policy/reply.h"
#include "store/outbox.h"
#include "store/schedules.h"
#include "store/senders.h"

namespace agents {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 20s;  // whether it is time

struct FindingRow {
    std::string_view kind, subject;  // subject empty: any, which then stands for {0}
    Saying one, many;
};
constexpr FindingRow kFindingRows[] = {
    {"runs_failed", "", Saying::runs_failed, Saying::runs_failed_often},
    {"effect_unknown", "", Saying::effect_unknown, Saying::effect_unknown},
    {"word_wanted", "", Saying::word_wanted, Saying::word_wanted},
    {"not_delivered", "", Saying::not_delivered, Saying::not_delivered_often},
    {"not_done", "skipped", Saying::schedule_skipped, Saying::schedule_skipped_often},
    {"not_done", "refused", Saying::schedule_refused, Saying::schedule_refused_often},
};
constexpr std::string_view kOfProbe = "probe";  // which says itself what it found

std::string sentence(const store::Surveyed& one, base::Language language) {
    if (one.kind == kOfProbe) return one.subject;
    const auto* const row = std::find_if(std::begin(kFindingRows), std::end(kFindingRows), [&](const FindingRow& r) { return r.kind == one.kind && (r.subject.empty() || r.subject == one.subject); });
    if (row == std::end(kFindingRows)) return {};
    const std::string count = std::to_string(one.count);
    const Saying what = one.count > 1 ? row->many : row->one;
    return row->subject.empty() ? said(language, what, {one.subject, count}) : said(language, what, {count});
}

}  // namespace

std::string finding_kinds() {
    std::string out;
    for (const FindingRow& row : kFindingRows)
        if (out.find(row.kind) == out.npos) out += std::string(row.kind) + ",";
    return out + std::string(kOfProbe);
}

std::vector<store::Finding> findings_of(const std::vector<store::Surveyed>& surveyed, const base::Probes& probes, const std::set<std::string>& silenced, base::Language language) {
    std::vector<store::Surveyed> all = surveyed;
    for (const base::Probe& probe : probes)
        if (probe.health == base::Health::failed) all.push_back({std::string(kOfProbe), probe.name, probe.name + ": " + probe.found + (probe.remedy.empty() ? "" : " (" + probe.remedy + ")"), 1});
    std::vector<store::Finding> out;
    for (const store::Surveyed& one : all) {
        const std::string body = sentence(one, language);
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
        const auto language = base::language_of(store::language_in(tx, parts_.owner.person, options_.channel));
        store::note_findings(tx, findings_of(store::survey(tx), probes, options_.silenced, language));
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
