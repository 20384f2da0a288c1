// How runs that answer a chat are followed: what they ask, that they work, and how they end.
#include <algorithm>
#include <functional>

#include "server/bridges/intake.h"
#include "server/bridges/questions.h"
#include "server/bridges/words.h"
#include "store/runs.h"

namespace server::bridges {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kBetweenActivity = 4s;  // channels show it for five
constexpr auto kBetweenDrafts = 1s;

// Where it is answered now: the chat may have moved while the run worked.
std::string chat_of(store::Tx& tx, const store::WorkingArrival& arrival) {
    const auto all = store::working_arrivals(tx);
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.run == arrival.run; });
    return found == all.end() ? arrival.chat : found->chat;
}

// How far an answer is, as the run's events tell it. What takes less than a second is shown when it is there.
class Draft {
public:
    explicit Draft(base::RunId run) : number_(std::int64_t(std::hash<std::string>()(run.text()) % 0x7FFFFFFF) + 1) {}
    void hear(const agents::ToldEvent& event) {
        if (event.name == "resumed") text_.clear();  // what follows is told anew
        if (event.name != "text") return;
        if (text_.empty()) next_ = SteadyClock::now() + kBetweenDrafts;
        text_ += event.data.value("text", "");
        is_new_ = true;
    }
    bool is_due() const { return is_new_ && SteadyClock::now() >= next_; }
    std::chrono::milliseconds patience(std::chrono::milliseconds most) const {
        if (!is_new_) return most;
        return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(next_ - SteadyClock::now()) + 1ms, 1ms, most);
    }
    std::string take() {
        is_new_ = false;
        next_ = SteadyClock::now() + kBetweenDrafts;
        return text_;
    }
    std::int64_t number() const { return number_; }

private:
    const std::int64_t number_;  // the same in whichever process
    std::string text_;
    bool is_new_ = false;
    SteadyClock::time_point next_{};
};

}  // namespace

// Also those that other processes have begun, which may be gone.
net::Task<void> Intake::follow_all() {
    const std::vector<store::WorkingArrival> all = co_await parts_.db.read(house_, store::working_arrivals);
    for (const store::WorkingArrival& one : all) follow(one);
}

void Intake::follow(store::WorkingArrival arrival) {
    Transport* const by = transport(arrival.bridge);
    const base::RunId run = arrival.run;
    if (!by || !followed_.insert(run).second) return;
    const auto failed = [this, run](std::exception_ptr) { parts_.log.warn("a run is no longer followed; the next look follows within seconds", {{"run", run.text()}}); };
    net::spawn(executor_, follow_run(*by, std::move(arrival)), failed);
}

net::Task<void> Intake::follow_run(Transport& by, store::WorkingArrival arrival) {
    struct Place {
        std::set<base::RunId>& all;
        base::RunId run;
        ~Place() { all.erase(run); }
    };
    const Place place{followed_, arrival.run};
    const policy::Principal who = principal_of(by.name(), arrival.person, arrival.role);
    const store::EventId beginning{};
    const base::StopToken never{};
    const auto reader = co_await parts_.agents.listen(who, arrival.run, beginning, never);
    auto next_sign = SteadyClock::now();
    Draft draft(arrival.run);
    bool waits = false;  // for the person's word
    while (reader && !reader->over()) {
        if (!waits && SteadyClock::now() >= next_sign) {
            next_sign = SteadyClock::now() + kBetweenActivity;
            co_await parts_.outbound.show_activity(by, who, arrival.chat, arrival.update);
        }
        if (!arrival.in_company && draft.is_due()) {
            std::string text = draft.take();
            co_await parts_.outbound.show_draft(by, who, arrival.chat, draft.number(), std::move(text));
        }
        const std::chrono::milliseconds patience = arrival.in_company ? kBetweenActivity : draft.patience(kBetweenActivity);
        const std::vector<agents::ToldEvent> told = co_await reader->next(patience);
        bool asked = false;
        for (const agents::ToldEvent& event : told) {
            asked |= waits || event.name == "waiting";
            waits = event.name == "waiting";
            draft.hear(event);
        }
        if (asked) co_await tell_questions(by, arrival, who);
    }
    co_await tell_end(by, std::move(arrival), who);
}

net::Task<void> Intake::tell_questions(Transport& by, const store::WorkingArrival& arrival, const policy::Principal& who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        if (const auto run = store::find_run(tx, arrival.run)) write_questions(tx, who, house, by, chat_of(tx, arrival), *run);
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

net::Task<void> Intake::tell_end(Transport& by, store::WorkingArrival arrival, policy::Principal who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        const auto run = store::find_run(tx, arrival.run);
        if (run && !run->ended()) return;  // this process ends, and the run goes on
        if (run) {
            const std::string chat = chat_of(tx, arrival);
            write_questions(tx, who, house, by, chat, *run);
            store::Reply reply{by.name(), chat, "run:" + arrival.run.text(), by.answer_pieces(end_words(language_of(store::language_in(tx, who.person, by.name())), *run))};
            reply.markdown = true;
            if (arrival.in_company) reply.answers = arrival.message;
            reply.label = policy::parse_integrity(run->turn.value("label", ""));
            if (!reply.parts.empty()) store::write_reply(tx, who, house, reply);
            store::erase_told_at_end(tx, arrival.run);
        }
        store::settle_arrival(tx, by.name(), arrival.update, run ? run->status : "the run is gone");
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

}  // namespace server::bridges
