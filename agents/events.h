// What a run tells, and those who listen: live from the process that holds it, else out of the store, each event once and
// in order, whichever way it comes and however often a listener goes away.
//
// Whoever takes a run over tells what its earlier holder had not stored, and what the code tells that runs again, anew: the
// event `resumed` names the last one that stands; a listener forgets what came after that.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agents/service.h"
#include "store/run_events.h"

namespace agents {

// Events of one holder of a run that follow each other: one, or pieces of a text that are told as one to whoever comes later.
struct Stretch {
    std::int64_t first = 0, last = 0;
    std::string name;
    base::Json data;
    std::vector<std::size_t> cuts;  // of pieces: where each but the last ends, in bytes
};
base::Json to_json(const Stretch& stretch);
Stretch stretch_from_json(const base::Json& json);  // of what to_json gave; throws what nlohmann throws
// What of it is after that event. Where the place in a text is not known any more, all of it, behind a `resumed`.
std::vector<ToldEvent> told_after(const Stretch& stretch, std::int64_t epoch, store::EventId after);

class EventHub;

// What the holder of a run tells; writes it down with the run's own writes. Thread-safe.
class LiveEvents final : public store::RunTelling {
public:
    // The hub outlives it.
    LiveEvents(EventHub& hub, base::RunId run, base::ConversationId conversation, std::int64_t epoch)
        : hub_(hub), run_(run), conversation_(conversation), epoch_(epoch) {}

    base::RunId run() const { return run_; }
    // All but `done`: that is told by ends().
    void tell(const ChatEvent& event);
    // That the run was taken over, and goes on behind that event.
    void resumes(store::EventId kept);
    // The last event so far; nothing is added to it from now on.
    store::EventId last();
    // The run ends with the transaction under way.
    void ends(const std::string& final_state, const std::string& error);
    void rests(const store::Approval& approval) override;
    void write(store::Tx& tx) override;
    void written() override;

    // The last event that is in the store.
    store::EventId stored() const;
    // Those after that one; nothing when some of them are in the store.
    std::optional<std::vector<ToldEvent>> after(store::EventId id) const;

private:
    void add(std::string name, base::Json data);
    void add_piece(std::string name, const std::string& text);

    EventHub& hub_;
    base::RunId run_;
    base::ConversationId conversation_;
    std::int64_t epoch_;
    mutable std::mutex mutex_;
    std::int64_t number_ = 0, stored_ = 0;
    std::vector<Stretch> stretches_;       // that are not stored
    std::vector<std::int64_t> marks_;      // last() was asked then: a row ends there
    bool open_ = false;                    // a piece may join the last stretch
    std::optional<Stretch> end_;           // of the transaction under way
    std::optional<store::EventId> kept_;   // whoever held the run before told more than that
    std::int64_t writing_ = 0;
};

// Who holds what in this process, and who listens here. Thread-safe.
class EventHub {
public:
    // One listener.
    class Ear : public std::enable_shared_from_this<Ear> {
    public:
        explicit Ear(boost::asio::any_io_executor executor) : executor_(executor), timer_(executor) {}
        void wake();  // from wherever
        // On the executor only. Returns at once when it was woken since it last returned.
        net::Task<void> wait(std::chrono::steady_clock::time_point until);

    private:
        boost::asio::any_io_executor executor_;
        boost::asio::steady_timer timer_;
        std::atomic<bool> woken_{false};
    };

    void enter(std::shared_ptr<LiveEvents> events);
    void leave(const LiveEvents& events);
    std::shared_ptr<LiveEvents> find(base::RunId run) const;
    void listen(base::RunId run, const std::shared_ptr<Ear>& ear);
    void wake(base::RunId run);
    void wake_all();
    // Listeners end.
    void close();
    bool closed() const { return closed_; }

private:
    mutable std::mutex mutex_;
    std::map<base::RunId, std::shared_ptr<LiveEvents>> live_;
    std::multimap<base::RunId, std::weak_ptr<Ear>> ears_;
    std::atomic<bool> closed_{false};
};

// On one executor; null when there is no such run of this person.
net::Task<std::unique_ptr<EventReader>> open_reader(EventHub& hub, store::Db& db, store::Identity who, base::RunId run, store::EventId after, base::StopToken gone);

}  // namespace agents
