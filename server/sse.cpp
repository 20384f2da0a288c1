#include "server/sse.h"

#include <boost/asio/redirect_error.hpp>

namespace server {
namespace {

constexpr auto kKeepAlive = std::chrono::seconds(15);

}  // namespace

std::string sse_event(const std::string& data, const std::string& name, const std::string& id) {
    std::string out;
    if (!id.empty()) out += "id: " + id + "\n";
    if (!name.empty()) out += "event: " + name + "\n";
    for (std::size_t at = 0; at <= data.size();) {
        const auto end = std::min(data.find('\n', at), data.size());
        out += "data: " + data.substr(at, end - at) + "\n";
        at = end + 1;
    }
    return out + "\n";
}

void SseQueue::push(std::string event) {
    pushed_ = true;
    if (abandoned_) return;
    events_.push_back(std::move(event));
    changed_.cancel();
}

void SseQueue::finish() {
    finished_ = true;
    changed_.cancel();
}

net::Task<void> SseQueue::first(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!pushed_ && !finished_ && std::chrono::steady_clock::now() < until) {
        changed_.expires_at(until);
        boost::system::error_code woken;
        co_await changed_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
}

bool SseQueue::refuse(Response answer) {
    if (pushed_ || streaming_) return false;
    refusal_ = std::move(answer);
    finish();
    return true;
}

net::Task<bool> SseQueue::pump(BodyWriter& out) {
    for (;;) {
        while (!events_.empty()) {
            std::string piece;
            for (; !events_.empty(); events_.pop_front()) piece += events_.front();
            if (!co_await out.write(std::move(piece))) co_return false;
        }
        if (finished_) co_return true;
        changed_.expires_after(kKeepAlive);
        boost::system::error_code woken;
        co_await changed_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
        const bool quiet = !woken && events_.empty() && !finished_;
        if (quiet && !co_await out.write(": keep-alive\n\n")) co_return false;
    }
}

Response SseQueue::response(std::shared_ptr<SseQueue> queue, std::function<void()> on_gone) {
    queue->streaming_ = true;
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers["Cache-Control"] = "no-cache";
    response.stream = [queue, on_gone](BodyWriter& out) -> net::Task<void> {
        const bool all = co_await queue->pump(out);
        if (all) co_return;
        queue->abandoned_ = true;
        if (on_gone) on_gone();
    };
    return response;
}

}  // namespace server
