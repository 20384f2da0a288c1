#include "engine/host.h"

#include <algorithm>

#include "engine/memory_plan.h"

namespace engine {
namespace {

using base::Code;

// "small 812 MiB, default 4096 MiB"
std::string listed(const std::map<std::string, std::uint64_t>& held) {
    std::string out;
    for (const auto& [name, bytes] : held) out += (out.empty() ? "" : ", ") + name + " " + mib(bytes);
    return out;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& held) {
    std::uint64_t out = 0;
    for (const auto& [name, bytes] : held) out += bytes;
    return out;
}

}  // namespace

Host::Host(std::uint64_t limit) : ledger_(std::make_shared<Ledger>()) { ledger_->limit = limit; }

Host::Turn Host::take_turn() {
    const std::lock_guard lock(mutex_);
    return taken_++;
}

void Host::wait_for(Turn turn) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return planning_ == turn; });
}

void Host::end(Turn turn) {
    const std::lock_guard lock(mutex_);
    if (planning_ != turn) return;
    ++planning_;
    pass_given_up();
}

void Host::give_up(Turn turn) {
    const std::lock_guard lock(mutex_);
    given_up_.insert(turn);
    pass_given_up();
}

void Host::pass_given_up() {
    while (given_up_.erase(planning_) > 0) ++planning_;
    moved_.notify_all();
}

base::Result<void> Host::leave_to_others(const std::string& name, LoadOptions& options) {
    const std::lock_guard lock(ledger_->mutex);
    if (ledger_->held.contains(name)) return base::error(Code::conflict, "a model is loaded as '" + name + "'", "unload it first");
    if (ledger_->limit == 0) ledger_->limit = memory_limit({}, available_memory());
    const std::uint64_t others = sum(ledger_->held);
    if (others >= ledger_->limit)
        return base::error(Code::resource_exhausted, "of the " + mib(ledger_->limit) + " for models nothing is left: " + listed(ledger_->held), "unload one of them, or give it less");
    options.ceiling = ledger_->limit - others;
    return {};
}

base::Result<std::shared_ptr<Engine>> Host::load(Turn turn, const std::string& name, LoadOptions options) {
    wait_for(turn);
    // Whoever comes next may plan as soon as this one has, and at the latest when it has failed.
    const std::shared_ptr<void> ended(nullptr, [&](void*) { end(turn); });
    if (auto room = leave_to_others(name, options); !room) return std::move(room).error();
    const std::shared_ptr<Ledger> ledger = ledger_;
    const auto give_back = [ledger, name] {
        const std::lock_guard lock(ledger->mutex);
        ledger->held.erase(name);
    };
    options.share = share_;
    options.admit = [&](const MemoryPlan& plan) {
        {
            const std::lock_guard lock(ledger->mutex);
            ledger->held[name] = plan.total;
        }
        end(turn);
    };
    base::Result<std::unique_ptr<Engine>> loaded = [&]() -> base::Result<std::unique_ptr<Engine>> {
        try {
            return Engine::load(std::move(options));
        } catch (...) {
            give_back();
            throw;
        }
    }();
    if (loaded)
        return std::shared_ptr<Engine>((*std::move(loaded)).release(), [give_back](Engine* engine) {
            delete engine;
            give_back();
        });
    base::Error error = std::move(loaded).error();
    give_back();
    if (const auto others = held(); error.code == Code::resource_exhausted && !others.empty()) error.message += "; other models hold " + mib(sum(others)) + ": " + listed(others);
    return error;
}

std::map<std::string, std::uint64_t> Host::held() const {
    const std::lock_guard lock(ledger_->mutex);
    return ledger_->held;
}

}  // namespace engine
