// A time limit on what a socket waits for.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "server/byte_stream.h"

namespace server::detail {

// Once `limit` has passed, cancels what the socket waits for. Absolute: a client that trickles bytes
// does not push it on. The socket stays open for an answer.
class Deadline {
public:
    Deadline(Socket& socket, std::chrono::milliseconds limit) : state_(std::make_shared<State>(socket)) { arm(state_, limit); }
    ~Deadline() {
        state_->over = true;
        state_->timer.cancel();
    }
    Deadline(const Deadline&) = delete;
    bool hit() const { return state_->hit; }

private:
    struct State {
        explicit State(Socket& s) : socket(s), timer(s.get_executor()) {}
        Socket& socket;  // outlived by the Deadline, not by this
        boost::asio::steady_timer timer;
        bool hit = false, over = false;
    };
    static void arm(std::shared_ptr<State> state, std::chrono::milliseconds after) {
        auto expired = [state](boost::system::error_code cancelled) {
            if (cancelled || state->over) return;
            state->hit = true;
            boost::system::error_code ignored;
            state->socket.cancel(ignored);
            arm(state, std::chrono::milliseconds(50));  // a read that was just being restarted escaped this one
        };
        state->timer.expires_after(after);
        state->timer.async_wait(expired);
    }
    std::shared_ptr<State> state_;
};

}  // namespace server::detail
