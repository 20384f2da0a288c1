#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/run_task.h"
#include "support/stub_server.h"

namespace net {
namespace {

using base::Code;
using namespace std::chrono_literals;
using support::StubReply;
using support::StubRequest;
using support::StubServer;

struct HttpClientTest : testing::Test {
    HttpClient client;

    base::Result<HttpResponse> fetch(HttpRequest request, BodySink sink = {}) {
        return support::run_task(client.fetch(std::move(request), std::move(sink)));
    }
};

StubReply saying(std::vector<std::string> chunks, int status = 200) {
    StubReply reply;
    reply.status = status;
    reply.chunks = std::move(chunks);
    return reply;
}

TEST_F(HttpClientTest, ASecretReachesItsHeader) {
    StubServer server([](const StubRequest&) { return saying({"ok"}); });
    const auto keyed = [&](std::string text) {
        HttpRequest request;
        request.url = server.url("/");
        request.secret_headers = {{"Authorization", "Bearer ", std::make_shared<const base::SecretValue>(base::SecretValue::take(text))}};
        return request;
    };
    ASSERT_TRUE(fetch(keyed("a secret of many bytes")));
    EXPECT_EQ(server.requests().at(0).header("authorization"), "Bearer a secret of many bytes");
    for (const std::string& bad : {std::string("line\r\nX-Other: 1"), std::string("zero\0after", 10)}) {
        const auto refused = fetch(keyed(bad));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid_argument);
        EXPECT_THAT(refused.error().text(), testing::Not(testing::AnyOf(testing::HasSubstr("X-Other"), testing::HasSubstr("zero"))));
    }
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpClientTest, ASecretReachesItsPlaceInTheUrlAndNoError) {
    StubServer server([](const StubRequest&) { return saying({"ok"}); });
    const auto keyed = [&](const std::string& url) {
        std::string token = "123456:a-token";
        HttpRequest request;
        request.url = url;
        request.url_secret = std::make_shared<const base::SecretValue>(base::SecretValue::take(token));
        return request;
    };
    ASSERT_TRUE(fetch(keyed(server.url("/bot{secret}/getMe"))));
    EXPECT_EQ(server.requests().at(0).target, "/bot123456:a-token/getMe");
    for (const char* url : {"http://127.0.0.1:1/bot{secret}/getMe", "ftp://127.0.0.1/bot{secret}", "http://no host/bot{secret}"}) {
        const auto failed = fetch(keyed(url));
        ASSERT_FALSE(failed) << url;
        EXPECT_THAT(failed.error().text(), testing::Not(testing::HasSubstr("a-token")));
    }
}

TEST_F(HttpClientTest, TellsWhetherAnythingMayHaveLeft) {
    StubServer server([](const StubRequest& request) {
        StubReply reply = saying({"half", "half"});
        reply.sized = reply.drop = request.target == "/broken";
        return reply;
    });
    const auto left = [&](const std::string& url) {
        HttpRequest request;
        request.url = url;
        request.left = std::make_shared<bool>(false);
        const auto flag = request.left;
        (void)fetch(std::move(request));
        return *flag;
    };
    EXPECT_TRUE(left(server.url("/")));
    EXPECT_TRUE(left(server.url("/broken")));
    EXPECT_FALSE(left("http://127.0.0.1:1/")) << "nobody listens there";
    EXPECT_FALSE(left("ftp://127.0.0.1/"));
}

TEST(HostOf, IsWhereARequestGoes) {
    const std::pair<const char*, const char*> cases[] = {
        {"https://api.example.com/v1", "api.example.com"}, {"http://API.Example.com:8080", "api.example.com"}, {"http://api.example.com@evil.example/", "evil.example"},
        {"http://user:word@host/", "host"}, {"http://[::1]:8080/v1", "[::1]"}, {"http://evil.example/api.example.com", "evil.example"}, {"http://evil.example?api.example.com", "evil.example"},
        {"", ""}, {"no url", ""}, {"http://", ""},
    };
    for (const auto& [url, host] : cases) EXPECT_EQ(host_of(url), host) << url;
}

TEST_F(HttpClientTest, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
    StubServer server([](const StubRequest&) {
        auto reply = saying({"he", "llo"});
        reply.headers = {{"X-Kind", "stub "}};
        return reply;
    });
    HttpRequest request;
    request.method = "POST";
    request.url = server.url("/a?b=1");
    request.headers = {{"Authorization", "Bearer k"}};
    request.body = std::string(70000, 'x');
    const auto response = fetch(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->header("x-kind"), "stub");
    const auto asked = server.requests().at(0);
    EXPECT_EQ(asked.method, "POST");
    EXPECT_EQ(asked.target, "/a?b=1");
    EXPECT_EQ(asked.header("authorization"), "Bearer k");
    EXPECT_EQ(asked.body, request.body);
}

TEST_F(HttpClientTest, StreamsInOrderOnTheCallersThread) {
    StubServer server([](const StubRequest&) {
        auto reply = saying({"a", "b", "c"});
        reply.chunk_delay = 20ms;
        return reply;
    });
    HttpRequest request;
    request.url = server.url();
    std::vector<std::string> pieces;
    const auto home = std::this_thread::get_id();
    const auto response = fetch(request, [&](std::string_view piece) {
        EXPECT_EQ(std::this_thread::get_id(), home);
        pieces.emplace_back(piece);
    });
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_THAT(pieces, testing::ElementsAre("a", "b", "c"));
    EXPECT_EQ(response->body, "");
}

// However much came before it.
TEST_F(HttpClientTest, SilenceIsMeasuredFromTheLastByte) {
    StubServer server([](const StubRequest& asked) {
        StubReply reply = saying({std::string(200000, 'x'), "y"});
        if (asked.target == "/begun") reply.chunk_delay = 20s;
        else reply.delay = 20s;
        return reply;
    });
    for (const char* target : {"/begun", "/nothing"}) {
        HttpRequest request;
        request.url = server.url(target);
        request.silence_timeout = 1s;
        const auto began = std::chrono::steady_clock::now();
        const auto response = fetch(request, [](std::string_view) {});
        const auto took = std::chrono::steady_clock::now() - began;
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, Code::deadline);
        EXPECT_THAT(response.error().message, testing::HasSubstr("sent nothing for 1 s"));
        EXPECT_GE(took, 1s) << target;
        EXPECT_LT(took, 1500ms) << target;
    }
}

TEST_F(HttpClientTest, SlowIsNotSilent) {
    StubServer server([](const StubRequest&) {
        StubReply reply = saying({"a", "b", "c", "d"});
        reply.chunk_delay = 600ms;
        return reply;
    });
    HttpRequest request;
    request.url = server.url();
    request.silence_timeout = 1s;
    const auto response = fetch(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->body, "abcd");
}

TEST_F(HttpClientTest, PausesForASlowSinkAndLosesNothing) {
    std::vector<std::string> chunks;
    for (int i = 0; i < 96; ++i) chunks.emplace_back(65536, char('a' + i % 26));
    std::string expected;
    for (const auto& chunk : chunks) expected += chunk;
    StubServer server([&](const StubRequest&) { return saying(chunks); });
    HttpRequest request;
    request.url = server.url();
    std::string got;
    int calls = 0;
    const auto response = fetch(request, [&](std::string_view piece) {
        if (calls++ % 100 == 0) std::this_thread::sleep_for(30ms);
        got += piece;
    });
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_TRUE(got == expected);
}

TEST_F(HttpClientTest, KeepsTheBodyOfARefusalAndFollowsNoRedirect) {
    StubServer server([](const StubRequest& r) {
        auto reply = saying({"no"}, r.target == "/moved" ? 302 : 403);
        reply.headers = {{"Location", "/elsewhere"}};
        return reply;
    });
    for (const auto& [target, status] : {std::pair{"/moved", 302}, {"/x", 403}}) {
        HttpRequest request;
        request.url = server.url(target);
        const auto response = fetch(request, [](std::string_view) { FAIL() << "only 2xx bodies are streamed"; });
        ASSERT_TRUE(response);
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(response->body, "no");
    }
    EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(HttpClientTest, CapsTheBody) {
    StubServer server([](const StubRequest&) { return saying({std::string(5000, 'x')}); });
    HttpRequest request;
    request.url = server.url();
    request.max_body_bytes = 4999;
    const auto response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::resource_exhausted);
    EXPECT_THAT(response.error().message, testing::HasSubstr("4999"));
    request.max_body_bytes = 5000;
    EXPECT_TRUE(fetch(request).ok());
}

TEST_F(HttpClientTest, NamesWhatWentWrong) {
    std::string dead;
    {
        StubServer server([](const StubRequest&) { return StubReply{}; });
        dead = server.url();
    }
    HttpRequest request;
    request.url = dead;
    auto response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
    EXPECT_THAT(response.error().message, testing::HasSubstr(dead));
    request.url = "file:///etc/passwd";
    response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::invalid_argument);
    StubServer server([](const StubRequest&) {
        auto reply = saying({"half"});
        reply.drop = true;
        return reply;
    });
    request.url = server.url();
    response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
}

TEST_F(HttpClientTest, EndsByDeadlineTimeoutStopAndDestruction) {
    StubServer server([](const StubRequest&) {
        auto reply = saying({"a", "b"});
        reply.chunk_delay = 20s;
        return reply;
    });
    const auto began = std::chrono::steady_clock::now();
    HttpRequest request;
    request.url = server.url();
    request.total_timeout = 80ms;
    EXPECT_EQ(fetch(request).error().code, Code::deadline);
    request.total_timeout = 0ms;
    request.stop = base::StopSource({}, std::chrono::steady_clock::now() + 80ms).token();
    EXPECT_EQ(fetch(request).error().code, Code::deadline);
    base::StopSource source;
    request.stop = source.token();
    const auto stopped = fetch(request, [&](std::string_view) { source.request_stop(); });
    EXPECT_EQ(stopped.error().code, Code::cancelled);
    request.stop = {};
    EXPECT_THROW((void)fetch(request, [](std::string_view) { throw std::runtime_error("sink"); }), std::runtime_error);
    {
        auto own = std::make_unique<HttpClient>();
        const auto ended = support::run_task(own->fetch(request, [&](std::string_view) {
            std::thread([&own] { own.reset(); }).join();
        }));
        EXPECT_EQ(ended.error().code, Code::unavailable);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

}  // namespace
}  // namespace net
