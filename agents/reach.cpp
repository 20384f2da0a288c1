// How the runs of this process are reached: by those who stop them or add to them, and at its end.
#include "agents/agents_impl.h"
#include "store/stops.h"
#include "store/threads.h"

namespace agents {

net::Task<bool> Agents::stop(policy::Principal who, base::RunId run) {
    const auto ask = [&](store::Tx& tx) { return store::ask_to_stop(tx, run); };
    if (!co_await impl_->parts.db.run(identity_of(who), ask)) co_return false;
    heard({store::Signal::Kind::stop, run});
    co_return true;
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
