// TLS on TCP, and what happens beyond loopback without it.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "echo.h"
#include "net/certificate.h"

namespace server::testing {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

HttpOptions with_certificate(const std::filesystem::path& folder) {
    const auto files = net::own_certificate(folder, {"localhost"}).value();
    HttpOptions options;
    options.certificate = files.certificate;
    options.key = files.key;
    return options;
}

struct TlsClient {
    explicit TlsClient(int port, const std::string& trusted) {
        context.load_verify_file(trusted);
        stream.set_verify_mode(asio::ssl::verify_peer);
        stream.set_verify_callback(asio::ssl::host_name_verification("localhost"));
        stream.next_layer().connect(Tcp::endpoint(asio::ip::address_v4::loopback(), std::uint16_t(port)));
        stream.handshake(asio::ssl::stream_base::client);
    }
    std::string ask(const std::string& text, const std::string& until) {
        asio::write(stream, asio::buffer(text));
        std::string all;
        char bytes[4096];
        boost::system::error_code failed;
        while (!failed && all.find(until) == all.npos) all.append(bytes, stream.read_some(asio::buffer(bytes), failed));
        return all;
    }
    asio::io_context io;
    asio::ssl::context context{asio::ssl::context::tls_client};
    asio::ssl::stream<Tcp::socket> stream{io, context};
};

TEST(Tls, CarriesRequestsAndStreams) {
    support::TempDir folder;
    const HttpOptions options = with_certificate(folder.path());
    Echo echo(options);
    TlsClient client(echo.port, options.certificate);
    EXPECT_NE(client.ask(request_text("POST", "/a", "abc"), "}").find("\"body\":\"abc\""), std::string::npos);
    EXPECT_NE(client.ask(request_text("GET", "/stream"), "0\r\n\r\n").find("three"), std::string::npos);
    EXPECT_GE(SSL_version(client.stream.native_handle()), TLS1_2_VERSION);
    const std::string large = client.ask(request_text("POST", "/b", std::string(300000, 'x')), "xxx\"");
    EXPECT_NE(large.find("200 OK"), std::string::npos);
}

TEST(Tls, SpeaksNothingElse) {
    support::TempDir folder;
    Echo echo(with_certificate(folder.path()));
    Client plain = Client::tcp(echo.port);
    plain.send(request_text("GET", "/"));
    EXPECT_EQ(plain.read_until("HTTP/1.1").find("HTTP/1.1"), std::string::npos) << "an answer in the clear";
    EXPECT_TRUE(plain.ended());
}

TEST(Tls, TellsTheHandlerThatTheClientLeft) {
    support::TempDir folder;
    const HttpOptions options = with_certificate(folder.path());
    Echo echo(options);
    {
        TlsClient client(echo.port, options.certificate);
        asio::write(client.stream, asio::buffer(request_text("GET", "/wait")));
        ASSERT_TRUE(within(3s, [&] { return echo.waiting.load(); }));
    }
    EXPECT_TRUE(within(1s, [&] { return echo.departed.load(); }));
}

base::Error refusal(HttpOptions options) {
    base::NullLog log;
    base::NullMetrics metrics;
    asio::io_context io;
    options.port = 0;
    const auto started = HttpServer::start(io.get_executor(), options, {}, log, metrics);
    return started ? base::error(base::Code::internal, "it started") : started.error();
}

TEST(Tls, BeyondLoopbackThereIsNoPlainHttp) {
    for (const char* host : {"0.0.0.0", "::", "192.0.2.1"}) {
        HttpOptions options;
        options.host = host;
        const auto error = refusal(options);
        EXPECT_NE(error.message.find(host), std::string::npos) << error.message;
        EXPECT_NE(error.remedy.find("server.certificate"), std::string::npos) << error.remedy;
    }
    support::TempDir folder;
    HttpOptions options = with_certificate(folder.path());
    options.host = "0.0.0.0";
    EXPECT_EQ(refusal(options).message, "it started");
    for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host : {"0.0.0.0", "::", "::ffff:192.0.2.1", "localhost.example", ""}) EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Tls, ACertificateThatIsNoneIsRefusedByName) {
    support::TempDir folder;
    HttpOptions options = with_certificate(folder.path());
    options.certificate = folder.path() / "absent.pem";
    EXPECT_NE(refusal(options).message.find("absent.pem"), std::string::npos);
    options = with_certificate(folder.path());
    options.key = with_certificate(folder.path() / "other").key;
    EXPECT_NE(refusal(options).message.find("key"), std::string::npos);
}

}  // namespace
}  // namespace server::testing
