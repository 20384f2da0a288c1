// The bytes of one connection, over TCP, a Unix socket or TLS alike. Beast's composed operations are compiled
// anew for each kind of stream, which takes minutes; a connection needs but these few.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/task.h"

namespace server::detail {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

// What is cancelled on its socket fails with operation_aborted and can be begun again.
class ByteStream {
public:
    explicit ByteStream(Socket socket) : socket_(std::move(socket)) {}
    virtual ~ByteStream() = default;
    ByteStream(const ByteStream&) = delete;

    Socket& socket() { return socket_; }
    // Agrees with the other end on what is needed before the first byte.
    virtual net::Task<void> greet(error_code& failed) = 0;
    // As many bytes as there are, at least one; asio::error::eof at the end.
    virtual net::Task<std::size_t> read_some(asio::mutable_buffer space, error_code& failed) = 0;
    // All of them; the caller keeps them until then.
    virtual net::Task<void> write(const std::string& bytes, error_code& failed) = 0;
    // Says that nothing follows, where the protocol has a word for it beside the socket's own.
    virtual net::Task<void> say_goodbye(error_code& failed) = 0;

private:
    Socket socket_;
};

std::unique_ptr<ByteStream> plain_stream(Socket socket);
std::unique_ptr<ByteStream> tls_stream(Socket socket, std::shared_ptr<asio::ssl::context> context);

}  // namespace server::detail
