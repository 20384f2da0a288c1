#include "server/byte_stream.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace server::detail {
namespace {

auto into(error_code& failed) { return asio::redirect_error(asio::use_awaitable, failed); }

class Plain final : public ByteStream {
public:
    using ByteStream::ByteStream;
    net::Task<void> greet(error_code&) override { co_return; }
    net::Task<std::size_t> read_some(asio::mutable_buffer space, error_code& failed) override {
        auto token = into(failed);
        co_return co_await socket().async_read_some(space, token);
    }
    net::Task<void> write(const std::string& bytes, error_code& failed) override {
        auto token = into(failed);
        co_await asio::async_write(socket(), asio::buffer(bytes), token);
    }
    net::Task<void> say_goodbye(error_code&) override { co_return; }
};

class Tls final : public ByteStream {
public:
    Tls(Socket socket, std::shared_ptr<asio::ssl::context> context)
        : ByteStream(std::move(socket)), context_(std::move(context)), tls_(this->socket(), *context_) {}
    net::Task<void> greet(error_code& failed) override {
        auto token = into(failed);
        co_await tls_.async_handshake(asio::ssl::stream_base::server, token);
        greeted_ = !failed;
    }
    net::Task<std::size_t> read_some(asio::mutable_buffer space, error_code& failed) override {
        auto token = into(failed);
        co_return co_await tls_.async_read_some(space, token);
    }
    net::Task<void> write(const std::string& bytes, error_code& failed) override {
        auto token = into(failed);
        co_await asio::async_write(tls_, asio::buffer(bytes), token);
    }
    net::Task<void> say_goodbye(error_code& failed) override {
        if (!greeted_) co_return;
        auto token = into(failed);
        co_await tls_.async_shutdown(token);
    }

private:
    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<Socket&> tls_;
    bool greeted_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(Socket socket) { return std::make_unique<Plain>(std::move(socket)); }

std::unique_ptr<ByteStream> tls_stream(Socket socket, std::shared_ptr<asio::ssl::context> context) {
    return std::make_unique<Tls>(std::move(socket), std::move(context));
}

}  // namespace server::detail
