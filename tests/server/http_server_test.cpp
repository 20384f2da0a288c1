// The server beneath the routes: connections, streams, who left, how it ends.
#include "echo.h"

namespace server::testing {
namespace {

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

TEST(HttpServer, AnswersHeadWithTheHeadersOfGet) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/a"));
    const Reply whole = client.read();
    client.send(request_text("HEAD", "/a"));
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << head;
    EXPECT_NE(head.find("Content-Length: " + std::to_string(whole.body.size() + 1) + "\r\n"), std::string::npos) << head;  // says HEAD for GET
    client.send(request_text("HEAD", "/stream") + request_text("GET", "/next"));
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read().json()["path"], "/next") << "no body lies between";
}

TEST(HttpServer, TakesAWholeUrlAsTarget) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send("GET http://Other:1/a%2Fb?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const base::Json said = client.read().json();
    EXPECT_EQ(said["path"], "/a/b");
    EXPECT_EQ(said["query"], "x=1");
    EXPECT_EQ(said["host"], "Other:1");
    client.send("GET http://other?x=2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client.read().json()["query"], "x=2");
}

TEST(HttpServer, SeesAClientLeaveThatHasSentMore) {
    Echo echo;
    Client client = Client::tcp(echo.port);
    client.send(request_text("GET", "/wait") + request_text("GET", "/second"));
    ASSERT_TRUE(within(3s, [&] { return echo.waiting.load(); }));
    client.leave();
    EXPECT_TRUE(within(1s, [&] { return echo.departed.load(); }));
}

}  // namespace
}  // namespace server::testing
