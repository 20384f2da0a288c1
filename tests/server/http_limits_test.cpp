// What the server refuses before any route sees it, and how long it waits.
#include "echo.h"

namespace server::testing {
namespace {

TEST(HttpLimits, RefusesWhatTwoReadersCouldReadDifferently) {
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
        "GET / HTTP/1.1\r\n\r\n",
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

// A header that is wrong and ends early is told as wrong, however it was cut.
TEST(HttpLimits, TellsWhatIsWrongWithAHeaderThatEndsEarly) {
    Echo echo;
    for (const std::string& rest : {std::string("E(T / HTTP/1.1\r\n"), std::string("ET / HTTP/1.1\r\nHo(st: a\r\n"), std::string("ET / HTTP/7.1\r\n")}) {
        Client client = Client::tcp(echo.port);
        client.send("G");
        std::this_thread::sleep_for(50ms);
        client.send(rest);
        client.end();
        const Reply reply = client.read();
        EXPECT_EQ(reply.status, 400) << rest;
        EXPECT_NE(reply.message().find("not valid HTTP: bad"), std::string::npos) << reply.body;
    }
    Client client = Client::tcp(echo.port);
    client.send("GET / HTTP/1.1\r\nHost: a");
    client.end();
    EXPECT_TRUE(client.ended()) << "one that left gets no answer";
}

TEST(HttpLimits, BoundsHeadersAndBodies) {
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

TEST(HttpLimits, AsksOfEveryBodyWhereThatIsWanted) {
    HttpOptions options;
    options.gates_all = true;
    options.gate = [](Request request) -> net::Task<std::optional<Response>> {
        std::optional<Response> refusal;
        if (request.header("x-known").empty()) refusal = error_response(403, "a stranger");
        co_return refusal;
    };
    Echo echo(options);
    Client stranger = Client::tcp(echo.port);
    stranger.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(stranger.read().status, 403) << "nothing of the body has come";
    EXPECT_EQ(echo.once(request_text("POST", "/", "{}", {}, "X-Known: yes\r\n")).status, 200);
}

TEST(HttpLimits, DoesNotWaitForATrickle) {
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

TEST(HttpLimits, TurnsAwayConnectionsBeyondItsLimit) {
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

TEST(HttpLimits, RefusesWhatItCannotMeet) {
    Echo echo;
    const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n";
    EXPECT_EQ(echo.once(post + "Expect: a-miracle\r\n\r\n{}").status, 417);
    const Reply packed = echo.once(post + "Content-Encoding: gzip\r\n\r\n{}");
    EXPECT_EQ(packed.status, 415);
    EXPECT_NE(packed.message().find("gzip"), std::string::npos);
    EXPECT_EQ(echo.once(post + "Content-Encoding: identity\r\n\r\n{}").status, 200);
    Client client = Client::tcp(echo.port);  // no body is asked for that would be refused
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 999999999\r\n\r\n");
    EXPECT_EQ(client.read().status, 413);
}

TEST(HttpLimits, DoesNotWaitForAReaderThatStandsStill) {
    HttpOptions options;
    options.write_deadline = 200ms;
    Echo echo(options);
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/endless"));
    ASSERT_TRUE(within(3s, [&] { return echo.waiting.load(); }));
    EXPECT_TRUE(within(5s, [&] { return echo.departed.load(); }));
}

}  // namespace
}  // namespace server::testing
