#include "agents/turnstile.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <mutex>

namespace agents {
namespace {

using base::Code;

constexpr std::chrono::milliseconds kLook{100};  // how soon a stop is noticed

struct Waiter {
    explicit Waiter(net::asio::any_io_executor e) : executor(e), timer(e) {}
    const net::asio::any_io_executor executor;
    net::asio::steady_timer timer;  // on the executor only
    bool admitted = false, turned_away = false;
};

void wake(const std::shared_ptr<Waiter>& waiter) {
    net::asio::post(waiter->executor, [waiter] { waiter->timer.cancel(); });
}

}  // namespace

struct Turnstile::State {
    std::mutex mutex;
    // An entry for each conversation with somebody inside: who waits for it.
    std::map<base::ConversationId, std::deque<std::shared_ptr<Waiter>>> queues;

    // Whether somebody was let in at once; else `waiter` stands in the queue, unless it is full.
    enum class Entry { inside, queued, full };
    Entry join(base::ConversationId conversation, const std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex);
        const auto [place, free] = queues.try_emplace(conversation);
        if (free) return Entry::inside;
        if (place->second.size() >= std::size_t(kMostWaiting)) return Entry::full;
        place->second.push_back(waiter);
        return Entry::queued;
    }

    void leave(base::ConversationId conversation) {
        const std::lock_guard lock(mutex);
        let_next(conversation);
    }

    // A waiter that gives up: out of the queue, or, when it was let in meanwhile, on to the next.
    void give_up(base::ConversationId conversation, const std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex);
        if (waiter->admitted) return let_next(conversation);
        std::erase(queues[conversation], waiter);
    }

    void let_next(base::ConversationId conversation) {
        auto& queue = queues[conversation];
        if (queue.empty()) {
            queues.erase(conversation);
            return;
        }
        queue.front()->admitted = true;
        wake(queue.front());
        queue.pop_front();
    }
};

namespace {

template <class State>
class Inside final : public Turnstile::Pass {
public:
    Inside(std::shared_ptr<State> state, base::ConversationId conversation) : state_(std::move(state)), conversation_(conversation) {}
    ~Inside() override { state_->leave(conversation_); }

private:
    std::shared_ptr<State> state_;
    base::ConversationId conversation_;
};

// A place in the queue, given up unless it was taken.
template <class State>
struct Place {
    std::shared_ptr<State> state;
    base::ConversationId conversation;
    std::shared_ptr<Waiter> waiter;
    bool taken = false;
    ~Place() {
        if (!taken) state->give_up(conversation, waiter);
    }
    bool admitted() const {
        const std::lock_guard lock(state->mutex);
        return waiter->admitted;
    }
    bool turned_away() const {
        const std::lock_guard lock(state->mutex);
        return waiter->turned_away;
    }
};

}  // namespace

base::Error conversation_busy(base::ConversationId conversation) {
    return base::error(Code::conflict, "the conversation " + conversation.text() + " is still busy with an earlier turn",
                       "wait for its answer, stop its run, or begin a new conversation");
}

Turnstile::Turnstile() : state_(std::make_shared<State>()) {}
Turnstile::~Turnstile() = default;

net::Task<base::Result<std::unique_ptr<Turnstile::Pass>>> Turnstile::enter(base::ConversationId conversation, base::StopToken stop,
                                                                           base::SteadyPoint until) {
    const auto state = state_;
    const auto waiter = std::make_shared<Waiter>(co_await net::asio::this_coro::executor);
    const auto entry = state->join(conversation, waiter);
    if (entry == State::Entry::full)
        co_return base::error(Code::resource_exhausted, std::to_string(kMostWaiting) + " turns of the conversation " + conversation.text() + " wait already",
                              "wait for their answers");
    if (entry == State::Entry::inside) co_return std::unique_ptr<Pass>(std::make_unique<Inside<State>>(state, conversation));
    Place<State> place{state, conversation, waiter};
    while (!place.admitted()) {
        if (stop.stopped()) co_return stop.error("the turn, which waited for an earlier one of its conversation,");
        if (place.turned_away()) co_return base::error(Code::unavailable, "the server is stopping", "send the message again when it is back");
        if (std::chrono::steady_clock::now() >= until) co_return conversation_busy(conversation);
        waiter->timer.expires_after(kLook);
        boost::system::error_code woken;
        co_await waiter->timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, woken));
    }
    place.taken = true;
    co_return std::unique_ptr<Pass>(std::make_unique<Inside<State>>(state, conversation));
}

void Turnstile::turn_away() {
    const std::lock_guard lock(state_->mutex);
    for (auto& [conversation, queue] : state_->queues)
        for (auto& waiter : queue) {
            waiter->turned_away = true;
            wake(waiter);
        }
}

}  // namespace agents
