// GET /v1/live: what goes on for somebody, told anew each time that it changes.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/api/handlers.h"
#include "server/api/run_shapes.h"
#include "server/sse.h"
#include "store/run_list.h"

namespace server::api {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kBetweenLooks = std::chrono::seconds(1);
constexpr auto kKeepAlive = std::chrono::seconds(15);
constexpr int kMostRuns = 50;

struct Listening {
    Request request;  // whose credentials are looked at again: who is signed out hears nothing more
    Caller caller;
    Services& services;
    std::string told{};  // last
    Steady::time_point at{};
};

// What there is to tell now, as an event; empty: nothing new, or the database is away.
net::Task<std::string> look(Listening& listening) {
    auto list = [](store::Tx& tx) { return store::list_runs(tx, kMostRuns, std::nullopt, {"open", {}, {}}); };
    base::Json runs = base::Json::array();
    try {
        for (const auto& run : co_await listening.services.db.read(agents::identity_of(listening.caller.principal), list)) runs.push_back(run_json(run));
    } catch (const store::DbError&) {
        co_return std::string();
    }
    std::string text = base::dump({{"runs", std::move(runs)}});
    if (text == listening.told) co_return std::string();
    listening.told = std::move(text);
    co_return sse_event(listening.told, "live");
}

net::Task<bool> is_still_known(Listening& listening) {
    const auto who = co_await listening.services.auth.identify(listening.request, Access::user, listening.services.blocking);
    const auto* refusal = std::get_if<Auth::Refusal>(&who);
    co_return !refusal || refusal->status == 503;
}

net::Task<void> tell(std::shared_ptr<Listening> listening, BodyWriter& out) {
    const auto home = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(home);
    const auto& closing = listening->services.closing;
    while (!closing.stopped() && !listening->request.gone.stopped()) {
        const bool known = co_await is_still_known(*listening);
        if (!known) co_return;
        std::string piece = co_await look(*listening);
        if (piece.empty() && Steady::now() - listening->at > kKeepAlive) piece = ": keep-alive\n\n";
        if (!piece.empty()) {
            listening->at = Steady::now();
            const bool there = co_await out.write(std::move(piece));
            if (!there) co_return;
        }
        timer.expires_after(kBetweenLooks);
        boost::system::error_code woken;
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
}

}  // namespace

net::Task<Response> live(Request request, Caller caller, Services& services) {
    std::shared_ptr<Listening> listening(new Listening{std::move(request), std::move(caller), services});
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers["Cache-Control"] = "no-cache";
    response.stream = [listening](BodyWriter& out) { return tell(listening, out); };
    co_return response;
}

}  // namespace server::api
