// A server whose handler answers with what it was asked.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "server/http.h"
#include "support/fixtures.h"
#include "support/http_client.h"

namespace server::testing {

using namespace std::chrono_literals;
using support::Client;
using support::Reply;
using support::request_text;

// Answers with what it was asked; /stream in three pieces; /endless until nobody reads; /wait until the
// client leaves.
struct Echo {
    explicit Echo(HttpOptions options = {}) {
        options.port = 0;
        Handler handler = [this](Request request) { return answer(std::move(request)); };
        auto started = HttpServer::start(io.get_executor(), options, handler, log, metrics);
        if (!started) throw std::runtime_error(started.error().text());
        http = *std::move(started);
        port = http->port();
        thread = std::thread([this] { io.run(); });
    }
    ~Echo() {
        stop();
        io.stop();
        thread.join();
    }
    void stop() {
        boost::asio::post(io, [this] { http->stop(); });
    }

    net::Task<Response> answer(Request request) {
        if (request.path == "/throw") throw std::runtime_error("secret detail");
        if (request.path == "/wait") co_await wait_for_departure(request.gone);
        base::Json said = {{"method", request.method}, {"path", request.path}, {"query", request.query}, {"body", request.body}};
        said["host"] = request.header("host");
        said["unix"] = request.peer.unix_socket;
        if (request.peer.unix_socket) said["uid"] = request.peer.uid;
        if (request.peer.workspace && *request.peer.workspace) said["inode"] = inode(request.peer.workspace->get());
        Response response = json_response(said);
        if (request.path == "/stream") {
            response.stream = [](BodyWriter& out) -> net::Task<void> {
                for (const char* piece : {"one ", "two ", "three"}) co_await out.write(piece);
            };
        }
        if (request.path == "/endless") {
            response.stream = [this](BodyWriter& out) -> net::Task<void> {
                waiting = true;
                while (co_await out.write(std::string(65536, 'x'))) {
                }
                departed = true;
            };
        }
        co_return response;
    }
    net::Task<void> wait_for_departure(base::StopToken gone) {
        boost::asio::steady_timer timer(io);
        waiting = true;
        for (int i = 0; i < 1000 && !gone.stopped(); ++i) {
            timer.expires_after(5ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        departed = gone.stopped();
    }
    static std::uint64_t inode(int fd) {
        struct stat info{};
        return fstat(fd, &info) == 0 ? info.st_ino : 0;
    }

    Reply once(const std::string& bytes) {
        Client client = Client::tcp(port);
        client.send(bytes);
        return client.read();
    }

    base::NullLog log;
    base::NullMetrics metrics;
    boost::asio::io_context io;
    std::unique_ptr<HttpServer> http;
    int port = 0;
    std::thread thread;
    std::atomic<bool> waiting{false}, departed{false};
};

inline bool within(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;; std::this_thread::sleep_for(2ms)) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() >= until) return false;
    }
}

}  // namespace server::testing
