// The server beneath the routes: what it lets through, what it refuses and how.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fstream>
#include <thread>

#include "server/http.h"
#include "support/fixtures.h"
#include "support/http_client.h"

namespace server::testing {
namespace {

using namespace std::chrono_literals;
using support::Client;
using support::Reply;
using support::request_text;

// Answers with what it was asked; /stream in three pieces; /wait until the client leaves.
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
        said["unix"] = request.peer.unix_socket;
        if (request.peer.unix_socket) said["uid"] = request.peer.uid;
        if (request.peer.workspace && *request.peer.workspace) said["inode"] = inode(request.peer.workspace->get());
        Response response = json_response(said);
        if (request.path == "/stream") {
            response.stream = [](BodyWriter& out) -> net::Task<void> {
                for (const char* piece : {"one ", "two ", "three"}) co_await out.write(piece);
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

bool within(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(2ms);
    return condition();
}

TEST(HttpServer, KeepsAConnectionForManyRequests) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    for (int i = 0; i < 3; ++i) {
        client.send(request_text("POST", "/a%20b?x=" + std::to_string(i), "body " + std::to_string(i)));
        const Reply reply = client.read();
        ASSERT_EQ(reply.status, 200);
        EXPECT_EQ(reply.json()["path"], "/a b");
        EXPECT_EQ(reply.json()["query"], "x=" + std::to_string(i));
        EXPECT_EQ(reply.json()["body"], "body " + std::to_string(i));
        EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
    }
    client.send(request_text("GET", "/", {}, {}, "Connection: close\r\n"));
    EXPECT_EQ(client.read().status, 200);
    EXPECT_TRUE(client.ended());
}

TEST(HttpServer, AnswersRequestsThatWereSentTogetherInTheirOrder) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/1") + request_text("POST", "/2", "two") + request_text("GET", "/3"));
    for (const char* path : {"/1", "/2", "/3"}) EXPECT_EQ(client.read().json()["path"], path);
}

TEST(HttpServer, ReadsARequestHoweverItIsSplit) {
    Echo echo;
    const std::string text = request_text("POST", "/split", "abc");
    for (std::size_t step : {std::size_t(1), std::size_t(7), text.size() - 1}) {
        Client client = Client::tcp(echo.port);
        for (std::size_t at = 0; at < text.size(); at += step) {
            client.send(text.substr(at, step));
            std::this_thread::sleep_for(200us);
        }
        EXPECT_EQ(client.read().json()["body"], "abc") << "step " << step;
    }
    Client chunked = Client::tcp(echo.port);
    chunked.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.read().json()["body"], "abcde");
}

TEST(HttpServer, StreamsInChunksAndKeepsTheConnection) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    for (int i = 0; i < 2; ++i) {
        client.send(request_text("GET", "/stream"));
        const Reply reply = client.read();
        EXPECT_EQ(reply.headers.at("transfer-encoding"), "chunked");
        EXPECT_EQ(reply.body, "one two three");
    }
    client.send("GET /stream HTTP/1.0\r\n\r\n");  // an old client gets the bytes and the end of the connection
    const std::string old = client.read_until("three");
    EXPECT_EQ(old.find("chunked"), old.npos);
    EXPECT_TRUE(old.ends_with("one two three")) << old;
    EXPECT_TRUE(client.ended());
}

TEST(HttpServer, RefusesWhatTwoReadersCouldReadDifferently) {
    Echo echo;
    const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    const std::string cases[] = {
        post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        post + "Content-Length: -1\r\n\r\n",
        post + "Content-Length: 99999999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting\r\n\r\n",
    };
    for (const auto& text : cases) {
        const Reply reply = echo.once(text);
        EXPECT_GE(reply.status, 400) << text;
        EXPECT_LT(reply.status, 500) << text;
        EXPECT_FALSE(reply.message().empty()) << text;
    }
    EXPECT_EQ(echo.once(request_text("GET", "/still")).status, 200);
}

TEST(HttpServer, BoundsHeadersAndBodies) {
    HttpOptions options;
    options.body_bytes = 1000;
    options.header_bytes = 2000;
    Echo echo(options);
    EXPECT_EQ(echo.once(request_text("POST", "/", std::string(1000, 'x'))).status, 200);
    const Reply large = echo.once(request_text("POST", "/", std::string(3 << 20, 'x')));
    EXPECT_EQ(large.status, 413);
    EXPECT_NE(large.message().find("1000 bytes"), std::string::npos) << large.body;
    EXPECT_EQ(echo.once("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n").status, 413);
    EXPECT_EQ(echo.once(request_text("GET", "/", {}, {}, "X-Long: " + std::string(5000, 'x') + "\r\n")).status, 431);
}

TEST(HttpServer, DoesNotWaitForATrickle) {
    HttpOptions options;
    options.header_deadline = 150ms;
    options.body_deadline = 150ms;
    Echo echo(options);
    for (const std::string& start : {std::string("GET / HT"), std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")}) {
        Client client = Client::tcp(echo.port);
        const auto began = std::chrono::steady_clock::now();
        client.send(start);
        for (int i = 0; i < 10; ++i) {
            std::this_thread::sleep_for(30ms);
            client.send("x");
        }
        EXPECT_EQ(client.read().status, 408) << start;
        EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
        EXPECT_TRUE(client.ended());
    }
    Client silent = Client::tcp(echo.port);
    EXPECT_TRUE(silent.ended());
}

TEST(HttpServer, SendsTheInterimAnswerToWhoWaitsForIt) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(client.read().status, 100);
    client.send("abc");
    EXPECT_EQ(client.read().json()["body"], "abc");
}

TEST(HttpServer, SaysNothingOfAnInternalError) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/throw"));
    const Reply reply = client.read();
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body.find("secret detail"), std::string::npos);
    client.send(request_text("GET", "/next"));
    EXPECT_EQ(client.read().status, 200);
}

TEST(HttpServer, TurnsAwayConnectionsBeyondItsLimit) {
    HttpOptions options;
    options.max_connections = 2;
    Echo echo(options);
    Client first = Client::tcp(echo.port), second = Client::tcp(echo.port);
    for (Client* client : {&first, &second}) {
        client->send(request_text("GET", "/"));
        EXPECT_EQ(client->read().status, 200);
    }
    const Reply refused = echo.once(request_text("POST", "/", std::string(1 << 20, 'x')));
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.headers.contains("retry-after"));
    first.leave();
    EXPECT_TRUE(within(3s, [&] { return echo.once(request_text("GET", "/")).status == 200; }));
}

TEST(HttpServer, TellsTheHandlerThatTheClientLeft) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/wait"));
    ASSERT_TRUE(within(3s, [&] { return echo.waiting.load(); }));
    EXPECT_FALSE(echo.departed);
    client.leave();
    EXPECT_TRUE(within(1s, [&] { return echo.departed.load(); }));
}

TEST(HttpServer, EndsIdleConnectionsWhenItStops) {
    Echo echo;
    Client idle = Client::tcp(echo.port), busy = Client::tcp(echo.port);
    idle.send(request_text("GET", "/"));
    EXPECT_EQ(idle.read().status, 200);
    busy.send(request_text("GET", "/wait"));
    ASSERT_TRUE(within(3s, [&] { return echo.waiting.load(); }));
    echo.stop();
    EXPECT_TRUE(idle.ended());
    EXPECT_THROW(Client::tcp(echo.port), std::runtime_error);
    EXPECT_EQ(busy.read().json()["path"], "/wait");  // what was begun is finished
    EXPECT_TRUE(busy.ended());
}

TEST(HttpServer, NamesATakenPortAndTheRemedy) {
    Echo echo;
    HttpOptions options;
    options.port = echo.port;
    boost::asio::io_context io;
    const auto second = HttpServer::start(io.get_executor(), options, {}, echo.log, echo.metrics);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find(std::to_string(echo.port)), std::string::npos);
    EXPECT_NE(second.error().remedy.find("server.port"), std::string::npos);
    options.host = "example.org";
    const auto third = HttpServer::start(io.get_executor(), options, {}, echo.log, echo.metrics);
    ASSERT_FALSE(third);
    EXPECT_NE(third.error().message.find("example.org"), std::string::npos);
}

TEST(HttpServer, KnowsTheUserBehindAUnixSocketAndTakesAFolder) {
    support::TempDir folder;
    HttpOptions options;
    options.socket = folder.path() / "run" / "hearth.sock";
    Echo echo(options);
    struct stat info{};
    ASSERT_EQ(stat(options.socket.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
    ASSERT_EQ(stat((folder.path() / "run").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0750u);

    const int fd = open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    Client client = Client::local(options.socket);
    client.send_with_descriptor(request_text("POST", "/folder", "abc"), fd);
    const base::Json said = client.read().json();
    EXPECT_EQ(said["unix"], true);
    EXPECT_EQ(said["uid"], getuid());
    EXPECT_EQ(said["inode"], Echo::inode(fd));
    EXPECT_EQ(said["body"], "abc");
    close(fd);
    Client without = Client::local(options.socket);
    without.send(request_text("GET", "/"));
    EXPECT_FALSE(without.read().json().contains("inode"));
}

TEST(HttpServer, LeavesTheSocketOfARunningServerAlone) {
    support::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    HttpOptions options;
    options.socket = folder.path() / "hearth.sock";
    std::ofstream(options.socket) << "a leftover";
    {
        Echo echo(options);
        options.port = 0;
        boost::asio::io_context io;
        const auto second = HttpServer::start(io.get_executor(), options, {}, echo.log, echo.metrics);
        ASSERT_FALSE(second);
        EXPECT_NE(second.error().message.find("another server"), std::string::npos);
        Client client = Client::local(options.socket);
        client.send(request_text("GET", "/"));
        EXPECT_EQ(client.read().status, 200);
        echo.stop();
        EXPECT_TRUE(within(2s, [&] { return !std::filesystem::exists(options.socket); }));
    }
    struct stat info{};
    ASSERT_EQ(stat(folder.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0755u);  // a folder that was there keeps its mode
}

}  // namespace
}  // namespace server::testing
