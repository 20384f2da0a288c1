#include <algorithm>
#include <utility>

#include "agents/events.h"
#include "store/runs.h"

namespace agents {
namespace {

using store::EventId;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr int kRowsAtOnce = 50;
constexpr auto kWatch = 15s;   // how long another process tells us when it has written something
constexpr auto kLook = 5s;     // and how often we look and say that we still listen

// What the store has to tell.
struct Read {
    std::vector<store::EventRow> rows;
    std::optional<store::EventRow> last;  // of all, when there are no rows and the run has ended
    std::optional<store::Run> run;
};

Read read_store(store::Tx& tx, base::RunId run, EventId after) {
    Read out;
    out.run = store::find_run(tx, run);  // first: of a run that has ended all is there
    out.rows = store::read_events(tx, run, after, kRowsAtOnce);
    if (out.rows.empty() && out.run && out.run->ended()) out.last = store::last_events(tx, run);
    return out;
}

class Reader final : public EventReader {
public:
    Reader(EventHub& hub, store::Db& db, store::Identity who, base::RunId run, EventId after, base::StopToken gone, boost::asio::any_io_executor executor)
        : hub_(hub), db_(db), who_(who), run_(run), after_(after), gone_(std::move(gone)), ear_(std::make_shared<EventHub::Ear>(executor)) {
        hub_.listen(run, ear_);
        guard_ = gone_.on_stop([ear = ear_] { ear->wake(); });
    }

    bool over() const override { return over_; }

    net::Task<std::vector<ToldEvent>> next(std::chrono::milliseconds patience) override {
        const auto until = SteadyClock::now() + patience;
        while (!over_) {
            over_ = hub_.closed() || gone_.stopped();
            if (over_) break;
            bool lost = false;
            try {
                auto found = co_await look();
                if (!found.empty()) co_return found;
            } catch (const store::DbError& e) {
                if (e.kind != store::DbError::Kind::connection) throw;
                lost = true;
            }
            if (over_ || SteadyClock::now() >= until) break;
            co_await ear_->wait(std::min(until, SteadyClock::now() + (lost ? 1s : kLook)));
        }
        co_return std::vector<ToldEvent>{};
    }

private:
    std::vector<ToldEvent> move_on(std::vector<ToldEvent> told) {
        if (told.empty()) return told;
        after_ = told.back().id;
        over_ = told.back().name == "done";
        return told;
    }

    // What there is to tell now.
    net::Task<std::vector<ToldEvent>> look() {
        const auto live = hub_.find(run_);
        if (live)
            if (auto told = live->after(after_)) co_return move_on(*std::move(told));
        const EventId stored = live ? live->stored() : EventId{};
        const auto read = [&](store::Tx& tx) { return read_store(tx, run_, after_); };
        const Read found = co_await db_.read(who_, read);
        std::vector<ToldEvent> told;
        for (const auto& row : found.rows)
            for (const auto& one : row.body)
                for (ToldEvent& event : told_after(stretch_from_json(one), row.last.epoch, after_)) told.push_back(std::move(event));
        if (!told.empty()) co_return move_on(std::move(told));
        if (live) {
            after_ = std::max(after_, stored);  // there is nothing between
            auto now = live->after(after_);
            if (now) co_return move_on(*std::move(now));
            ear_->wake();
        } else if (!found.run || found.run->ended()) {
            told = found.run ? end_of(*found.run, found.last) : told;
            over_ = true;
        } else if (SteadyClock::now() >= watch_) {
            const auto watch = [&](store::Tx& tx) { store::watch_events(tx, run_, kWatch); };
            co_await db_.run(who_, watch);
            watch_ = SteadyClock::now() + kLook;
            ear_->wake();  // what was written before that came without a word
        }
        co_return told;
    }

    // Of a run that nobody held when it ended, or that is older than events.
    std::vector<ToldEvent> end_of(const store::Run& run, const std::optional<store::EventRow>& last) const {
        if (last && !last->body.empty() && last->body.back().value("event", "") == "done") return {};
        const EventId id{run.epoch, last && last->last.epoch == run.epoch ? last->last.number + 1 : 1};
        std::vector<ToldEvent> out;
        if (id > after_) out.push_back(ToldEvent{id, "done", {{"final_state", run.status}, {"error", run.error}}});
        return out;
    }

    EventHub& hub_;
    store::Db& db_;
    store::Identity who_;
    base::RunId run_;
    EventId after_;
    base::StopToken gone_;
    std::shared_ptr<EventHub::Ear> ear_;
    base::StopToken::Guard guard_;
    SteadyClock::time_point watch_{};
    bool over_ = false;
};

}  // namespace

net::Task<std::unique_ptr<EventReader>> open_reader(EventHub& hub, store::Db& db, store::Identity who, base::RunId run, EventId after, base::StopToken gone) {
    const auto find = [&](store::Tx& tx) { return store::find_run(tx, run).has_value(); };
    const bool there = co_await db.read(who, find);
    if (!there) co_return nullptr;
    const auto executor = co_await boost::asio::this_coro::executor;
    co_return std::make_unique<Reader>(hub, db, who, run, after, std::move(gone), executor);
}

}  // namespace agents
