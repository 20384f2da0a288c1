// What is known of the gateway's backends and budgets, without a call of a model.
#include <algorithm>

#include "router/gateway.h"

namespace router {

std::map<std::string, BackendState> Gateway::backends() const {
    std::map<std::string, BackendState> out;
    const auto table = this->table();
    const auto now = clock_.steady();
    for (const auto& link : table->links) {
        BackendState state{link->backend->status(), link->backend->is_local()};
        const std::lock_guard lock(mutex_);
        state.failure = link->failure;
        state.circuit = link->breaker.state(now);
        state.seconds_left_alone = link->breaker.seconds_left(now);
        out.emplace(link->backend->id(), std::move(state));
    }
    return out;
}

base::Result<std::string> Gateway::set_loaded(const std::string& name, bool loaded) {
    const auto known = table();
    Link* link = known->find(name);
    if (const Alias* const alias = known->alias(name); alias && !link)
        for (const std::string& id : alias->chain)
            if (Link* const one = known->find(id); one && one->backend->is_local() && !link) link = one;
    if (!link) return base::error(base::Code::not_found, "no model of this process is called '" + name + "'", "hearth drill --list names the backends; the settings' section models adds some");
    auto begun = loaded ? link->backend->load() : link->backend->unload();
    if (!begun) return std::move(begun).error();
    return link->backend->id();
}

void Gateway::forget(const std::string& audience) {
    for (const auto& link : table()->links) link->backend->forget(audience);
}

base::Probes Gateway::probes() const {
    base::Probes out;
    const auto all = backends();
    for (const auto& [id, state] : all) {
        base::Probe probe{"backend " + id, base::Health::ok, std::string(name(state.status.state)), {}};
        if (const std::string why = not_ready(state.status); !why.empty()) {
            probe.found = why;
            if (was_unloaded(state.status.state)) {
                out.push_back(std::move(probe));
                continue;
            }
            const bool loading = state.status.state == BackendStatus::State::loading;
            probe.health = loading ? base::Health::warning : base::Health::failed;
            probe.remedy = loading ? "wait until it has loaded" : "see the log (/logs) for the reason";
        } else if (state.failure) {
            probe.health = base::Health::warning;
            probe.found = "failed when last called: " + state.failure->message;
            if (state.circuit == Breaker::State::open) probe.found += "; left alone for " + std::to_string(state.seconds_left_alone) + " s";
            probe.remedy = "mend what is named here; " + std::string(state.circuit == Breaker::State::closed ? "it is called again with the next request" : "then one request tries it");
        } else if (!state.status.detail.empty()) {
            probe.found += ": " + state.status.detail;
        }
        out.push_back(std::move(probe));
    }
    for (const auto& row : aliases()) {
        const auto here = [&](const std::string& id) { return all.contains(id) && all.at(id).local; };
        if (std::any_of(row.chain.begin(), row.chain.end(), here)) continue;
        out.push_back({"model " + row.name, base::Health::warning, "nothing in its chain runs here: " + (row.chain.empty() ? "it is empty" : row.chain.back() + " is the last resort"),
                       "set model.path, or let its chain end in the embedded model, so that it answers without the network"});
    }
    return out;
}

// From when a backend is first ready, its traffic is looked for.
void Gateway::see_backends() {
    const auto now = clock_.now();
    for (const auto& link : table_->links) {
        if (!not_ready(link->backend->status()).empty()) continue;
        const Capabilities can = link->backend->capabilities();
        if (!can.writes) continue;
        for (const Traffic traffic : kAllTraffic)
            if (traffic != Traffic::tools || can.tools) exercises_.see(link->backend->id(), traffic, now);
    }
}

std::vector<Exercise> Gateway::exercises() {
    const std::lock_guard lock(mutex_);
    see_backends();
    std::vector<Exercise> out;
    for (Exercise& one : exercises_.list())
        if (table_->find(one.backend)) out.push_back(std::move(one));
    return out;
}

namespace {

std::string ago(base::TimePoint then, base::TimePoint now) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(now - then).count();
    return hours < 1 ? "within the hour" : hours < 48 ? std::to_string(hours) + " h ago" : std::to_string(hours / 24) + " days ago";
}

std::string told(const Exercise& one, base::TimePoint now) {
    std::string out = std::string(name(one.traffic)) + " ";
    if (one.failing()) return out + "failed " + ago(one.failed, now) + ": " + one.failure;
    return out + (one.worked == base::TimePoint{} ? "never" : ago(one.worked, now));
}

}  // namespace

base::Probes Gateway::exercise_probes(std::chrono::hours within) {
    std::map<std::string, base::Probe> by_backend;
    const auto now = clock_.now();
    for (const Exercise& one : exercises()) {
        auto& probe = by_backend.try_emplace(one.backend, base::Probe{"use of " + one.backend, base::Health::ok, {}, {}}).first->second;
        probe.found += (probe.found.empty() ? "" : ", ") + told(one, now);
        if (!one.failing() && !(within.count() > 0 && one.overdue(now, within))) continue;
        probe.health = base::Health::failed;
        probe.remedy = "hearth drill " + one.backend + " tries it" + (one.failing() ? " again" : "; nobody knows whether it would work when it is needed");
    }
    base::Probes out;
    for (auto& [backend, probe] : by_backend) out.push_back(std::move(probe));
    return out;
}

std::vector<Exercise> Gateway::take_unsaved_exercises() {
    const std::lock_guard lock(mutex_);
    see_backends();
    return exercises_.take_unsaved();
}

void Gateway::learn_exercises(const std::vector<Exercise>& others) {
    const std::lock_guard lock(mutex_);
    exercises_.learn(others);
}

std::vector<Gateway::BudgetState> Gateway::budgets(const OnBehalf& who) const {
    std::vector<BudgetState> out;
    const auto table = this->table();
    const auto now = clock_.now();
    const auto add = [&](const std::string& of, const BudgetSubject& subject, const Budget& budget) {
        if (!budget.limits()) return;
        const std::lock_guard lock(mutex_);
        out.push_back({of, budget, budgets_.spent(subject, now), begins_anew(now)});
    };
    for (const Alias& row : table->aliases) add("model " + row.name, {who.tenant, "alias " + row.name}, row.budget);
    add("person", {who.tenant, "person " + who.person.text()}, table->person);
    return out;
}

std::vector<Budgets::Entry> Gateway::take_unsaved_spending(bool also_nothing) {
    const std::lock_guard lock(mutex_);
    return budgets_.take_unsaved(also_nothing);
}

void Gateway::learn_spending(const std::vector<Budgets::Entry>& totals) {
    const std::lock_guard lock(mutex_);
    budgets_.learn(totals, clock_.now());
}

void Gateway::give_back_spending(const std::vector<Budgets::Entry>& entries) {
    const std::lock_guard lock(mutex_);
    budgets_.give_back(entries);
}

}  // namespace router
