#include "server/database_watch.h"

#include <boost/asio/redirect_error.hpp>

namespace server {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kFresh = std::chrono::seconds(1);

}  // namespace

net::Task<void> DatabaseWatch::ask(std::shared_ptr<State> state) {
    auto select = [](store::Tx& tx) { return tx.exec("select 1").size(); };
    bool fine = false;
    try {
        fine = co_await state->db.read({}, select) == 1;
    } catch (const store::DbError&) {
        fine = false;
    }
    state->fine = fine;
    state->asking = false;
    state->done.cancel();
}

net::Task<bool> DatabaseWatch::answers() {
    const auto state = state_;
    const auto now = Clock::now(), until = now + kPatience;
    if (!state->asking && now - state->asked > kFresh) {
        state->asked = now;
        state->asking = true;
        auto failed = [state](std::exception_ptr) { state->asking = state->fine = false; };
        net::spawn(state->done.get_executor(), ask(state), failed);
    }
    while (state->asking && Clock::now() < until) {
        state->done.expires_at(until);
        boost::system::error_code woken;
        co_await state->done.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    co_return !state->asking && state->fine;
}

}  // namespace server
