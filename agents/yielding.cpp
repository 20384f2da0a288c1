#include "agents/yielding.h"

#include <boost/asio/steady_timer.hpp>

namespace agents {

net::Task<void> let_people_first(std::function<bool()> busy, base::StopToken stop) {
    constexpr auto between_looks = std::chrono::milliseconds(500);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (busy && busy() && !stop.stopped()) {
        timer.expires_after(between_looks);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

bool gave_way(const base::Result<router::ModelReply>& reply, const base::StopToken& stop) {
    if (stop.stopped()) return false;
    return reply ? reply->finish == router::FinishReason::cancelled : reply.error().code == base::Code::cancelled;
}

}  // namespace agents
