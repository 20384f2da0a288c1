#include "agents/loading.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "router/gateway.h"

namespace agents {
namespace {

using State = router::BackendStatus::State;

constexpr std::chrono::milliseconds kNap{100};

std::vector<std::string> chain_of(const router::Gateway& gateway, const std::string& alias) {
    for (router::Alias& row : gateway.aliases())
        if (row.name == alias) return std::move(row.chain);
    return {};
}

}  // namespace

bool is_loading(const router::Gateway& gateway, const std::string& alias) {
    const auto chain = chain_of(gateway, alias);
    const auto backends = gateway.backends();
    return std::any_of(chain.begin(), chain.end(), [&](const std::string& id) {
        const auto found = backends.find(id);
        return found != backends.end() && found->second.status.state == State::loading;
    });
}

bool may_begin(router::Gateway& gateway, const std::string& alias) {
    if (!gateway.ready(alias)) return false;
    if (!is_loading(gateway, alias)) return true;
    const auto chain = chain_of(gateway, alias);
    const auto backends = gateway.backends();
    const auto known = gateway.exercises();
    return std::any_of(known.begin(), known.end(), [&](const router::Exercise& one) {
        const auto found = backends.find(one.backend);
        const bool takes_requests = found != backends.end() && found->second.status.state == State::ready && !found->second.failure;
        const bool in_chain = std::find(chain.begin(), chain.end(), one.backend) != chain.end();
        return in_chain && takes_requests && one.worked != base::TimePoint{} && !one.failing();
    });
}

int room_here(const router::Gateway& gateway, const std::string& alias) {
    const auto backends = gateway.backends();
    for (const std::string& id : chain_of(gateway, alias)) {
        const auto found = backends.find(id);
        if (found == backends.end() || found->second.status.state != State::ready || found->second.failure) continue;
        return found->second.local ? found->second.status.facts.value("kv_tokens", 0) : 0;
    }
    return 0;
}

net::Task<void> await_loaded(const router::Gateway& gateway, std::string alias, base::StopToken stop) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (is_loading(gateway, alias) && !stop.stopped()) {
        timer.expires_after(kNap);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

}  // namespace agents
