// How the runs of this process are reached: by those who stop them or add to them, and at its end.
#include <utility>

#include "agents/agents_impl.h"
#include "store/runs.h"
#include "store/stops.h"
#include "store/threads.h"

namespace agents {

// Here first: what works must not work on while a database is waited for.
net::Task<bool> Agents::stop(policy::Principal who, base::RunId run) {
    const store::Identity identity = identity_of(who);
    const bool here = impl_->stop_here(identity, run);
    const auto ask = [&](store::Tx& tx) {
        if (store::ask_to_stop(tx, run)) return true;
        const auto ended = here ? store::find_run(tx, run) : std::nullopt;
        return ended && ended->status == "cancelled";
    };
    bool asked = false;
    try {
        asked = co_await impl_->parts.db.run(identity, ask);
    } catch (const store::DbError& e) {
        if (!here || !store::interrupts(e)) throw;
        const std::lock_guard lock(impl_->mutex);
        impl_->unwritten_stops.emplace(run, identity);
        asked = true;
    }
    if (asked) heard({store::Signal::Kind::stop, run});
    co_return asked;
}

bool Agents::Impl::stop_here(const store::Identity& who, base::RunId run) {
    const std::lock_guard lock(mutex);
    const auto found = running.find(run);
    if (found == running.end() || found->second->who.tenant != who.tenant || found->second->who.person != who.person) return false;
    std::set<base::RunId> stopped = {run};
    found->second->stop.request_stop();
    for (bool more = true; std::exchange(more, false);)
        for (auto& [id, entry] : running)
            if (stopped.contains(entry->parent) && stopped.insert(id).second) {
                entry->stop.request_stop();
                more = true;
            }
    return true;
}

void Agents::Impl::write_stops() {
    std::map<base::RunId, store::Identity> unwritten;
    {
        const std::lock_guard lock(mutex);
        unwritten = unwritten_stops;
    }
    for (const auto& [run, who] : unwritten) {
        const auto ask = [id = run](store::Tx& tx) { return store::ask_to_stop(tx, id); };
        parts.db.run_blocking(who, ask);
        const std::lock_guard lock(mutex);
        unwritten_stops.erase(run);
    }
}

net::Task<bool> Agents::stop_thread(policy::Principal who, base::ConversationId thread) {
    const auto stop = [&](store::Tx& tx) { return store::stop_thread(tx, thread); };
    co_return co_await impl_->parts.db.run(identity_of(who), stop);
}

void Agents::Impl::tell_running(const std::vector<base::RunId>& stopping, base::RunId input) {
    const std::lock_guard lock(mutex);
    for (const base::RunId run : stopping)
        if (const auto found = running.find(run); found != running.end()) found->second->stop.request_stop();
    if (const auto found = running.find(input); found != running.end()) found->second->inputs->more = true;
}

// Whoever missed a signal finds in the database what it told; what was added to runs they look for before they go on.
void Agents::Impl::stop_those_asked_for() {
    write_stops();
    std::map<base::RunId, store::Identity> held;
    {
        const std::lock_guard lock(mutex);
        for (const auto& [run, entry] : running) {
            held.emplace(run, entry->who);
            entry->inputs->more = true;
        }
    }
    for (const auto& [run, who] : held) {
        const auto asked = [&, id = run](store::Tx& tx) { return store::stop_asked(tx, id); };
        if (!parts.db.run_blocking(who, asked, store::Db::Access::read)) continue;
        const std::lock_guard lock(mutex);
        if (const auto found = running.find(run); found != running.end()) found->second->stop.request_stop();
    }
}

void Agents::heard(const store::Signal& signal) {
    using Kind = store::Signal::Kind;
    if (signal.kind == Kind::missed) {
        impl_->hub.wake_all();
        return impl_->stop_those_asked_for();
    }
    if (signal.kind == Kind::told) impl_->hub.wake(signal.run);
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->running.find(signal.run);
    if (found == impl_->running.end()) return;
    if (signal.kind == Kind::stop) found->second->stop.request_stop();
    if (signal.kind == Kind::input) found->second->inputs->more = true;
}

void Agents::stop_all() {
    impl_->turnstile.turn_away();
    const std::lock_guard lock(impl_->mutex);
    for (auto& [run, entry] : impl_->running) entry->stop.request_stop();
}

void Agents::leave_all() {
    impl_->turnstile.turn_away();
    impl_->hub.close();
    impl_->critic.close();
    const std::lock_guard lock(impl_->mutex);
    impl_->leaving = true;
    for (auto& [run, entry] : impl_->running) entry->leave();
}

int Agents::active() const {
    const std::lock_guard lock(impl_->mutex);
    return int(impl_->running.size()) + impl_->critic.busy();
}

}  // namespace agents
