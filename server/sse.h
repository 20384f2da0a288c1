// Server-sent events: a queue that producers push to without waiting, and the body that drains it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/http.h"

namespace server {

// One event: "id: …\nevent: …\ndata: …\n\n"; empty id and name are left out. Newlines in data become
// further data lines.
std::string sse_event(const std::string& data, const std::string& name = {}, const std::string& id = {});

// Lives on one executor. The producer may go on after the client has left.
class SseQueue {
public:
    explicit SseQueue(boost::asio::any_io_executor executor) : changed_(executor) {}
    void push(std::string event);
    void finish();
    bool abandoned() const { return abandoned_; }

    // Until something was pushed or refused, the queue is finished, or `patience` is over. So what a
    // producer refuses at once is answered by a status of its own and not by a stream.
    net::Task<void> first(std::chrono::milliseconds patience);
    // Makes `answer` the whole response and finishes. False, and nothing done, once something was
    // pushed or the stream has begun.
    bool refuse(Response answer);
    const std::optional<Response>& refusal() const { return refusal_; }

    // A response that streams what is pushed until finish(); `on_gone` is called once if the client
    // leaves before. A comment goes out when nothing else does for a while, so that proxies and
    // clients keep the connection.
    static Response response(std::shared_ptr<SseQueue> queue, std::function<void()> on_gone);

private:
    net::Task<bool> pump(BodyWriter& out);

    boost::asio::steady_timer changed_;
    std::deque<std::string> events_;
    std::optional<Response> refusal_;
    bool pushed_ = false, streaming_ = false, finished_ = false, abandoned_ = false;
};

}  // namespace server
