// One connection: reads requests, hands them to the handler, writes the answers. A template over the
// stream, so that plain TCP, TLS and Unix sockets share it; included by http_server.cpp only.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "server/http_deadline.h"
#include "server/http_message.h"

namespace server::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

using TcpStream = beast::basic_stream<asio::ip::tcp>;
using LocalStream = beast::basic_stream<asio::local::stream_protocol>;
using TlsStream = beast::ssl_stream<TcpStream>;

// What all connections of a server share; outlives them.
struct Shared {
    HttpOptions options;
    Handler handler;
    base::Log& log;
    base::Metrics& metrics;
    int connections = 0;
    bool stopping = false;
    std::map<const void*, std::function<void()>> idle;  // connections between requests, and how to end them
};

template <class Stream>
class Connection {
public:
    Connection(Stream stream, Peer peer, Shared& shared) : stream_(std::move(stream)), peer_(std::move(peer)), shared_(shared) {}

    net::Task<void> run() {
        bool more = co_await greet();
        for (bool first = true; more && !shared_.stopping; first = false) more = co_await one_request(first);
        co_await say_goodbye();
    }

    // The TLS handshake, once. False when there is nobody to talk to.
    net::Task<bool> greet() {
        if constexpr (tls) {
            if (greeted_) co_return true;
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            Limit limit(socket(), shared_.options.header_deadline);
            co_await stream_.async_handshake(asio::ssl::stream_base::server, token);
            greeted_ = !failed;
            co_return greeted_;
        }
        co_return true;
    }

    // Answers without reading, then closes. After greet().
    net::Task<void> turn_away(Response response) {
        co_await write_plain(response, 11, false);
        co_await linger();
    }

private:
    static constexpr bool local = std::is_same_v<Stream, LocalStream>, tls = std::is_same_v<Stream, TlsStream>;
    using Parser = http::request_parser<http::string_body>;
    using Lowest = std::conditional_t<tls, TcpStream, Stream>;
    using Socket = typename Lowest::socket_type;
    using Limit = Deadline<Socket>;

    Lowest& lowest() { return beast::get_lowest_layer(stream_); }
    Socket& socket() { return lowest().socket(); }

    // Says that nothing follows.
    net::Task<void> say_goodbye() {
        error_code ignored;
        if constexpr (tls) {
            auto token = asio::redirect_error(asio::use_awaitable, ignored);
            Limit limit(socket(), std::chrono::seconds(1));
            if (greeted_) co_await stream_.async_shutdown(token);
        }
        socket().shutdown(Socket::shutdown_send, ignored);
    }

    // True when the connection can serve another.
    net::Task<bool> one_request(bool first) {
        if (!co_await first_bytes(first ? shared_.options.header_deadline : shared_.options.idle_deadline)) co_return false;
        Parser parser;
        parser.header_limit(std::uint32_t(shared_.options.header_bytes));
        parser.body_limit(shared_.options.body_bytes);
        if (!co_await read_header(parser)) co_return false;
        const Objection wrong = objection_to(parser.get());
        if (wrong.status != 0) {
            Response refusal = error_response(wrong.status, wrong.why);
            co_await turn_away(std::move(refusal));
            co_return false;
        }
        if (!co_await read_body(parser)) co_return false;
        const unsigned version = parser.get().version();
        const bool keep = parser.get().keep_alive() && !shared_.stopping;
        const bool written = co_await answer(parser.release(), version, keep);
        co_return written && keep;
    }

    net::Task<bool> read_header(Parser& parser) {
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        Limit limit(socket(), shared_.options.header_deadline);
        co_await http::async_read_header(stream_, buffer_, parser, token);
        if (failed) co_await refuse(failed, limit.hit());
        co_return !failed;
    }

    net::Task<bool> read_body(Parser& parser) {
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        Limit limit(socket(), shared_.options.body_deadline);
        if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            http::response<http::empty_body> go_on(http::status::continue_, parser.get().version());
            co_await http::async_write(stream_, go_on, token);
            if (failed) co_return false;
        }
        co_await http::async_read(stream_, buffer_, parser, token);
        if (failed) co_await refuse(failed, limit.hit());
        co_return !failed;
    }

    // Waits for the next request to begin. On a Unix socket its first bytes may bring a descriptor,
    // which Beast's own reads would lose.
    net::Task<bool> first_bytes(std::chrono::milliseconds patience) {
        if (buffer_.size() > 0) co_return true;
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        Limit limit(socket(), patience);
        shared_.idle[this] = [this] {
            error_code ignored;
            socket().cancel(ignored);
        };
        const auto space = buffer_.prepare(4096);
        ssize_t n = 0;
        if constexpr (local) {
            co_await socket().async_wait(Socket::wait_read, token);
            peer_.workspace.reset();  // of this request, not of the one before
            if (!failed) n = receive_with_fd(socket().native_handle(), space.data(), space.size(), peer_.workspace);
        } else if constexpr (tls) {
            n = ssize_t(co_await stream_.async_read_some(space, token));
        } else {
            n = ssize_t(co_await socket().async_read_some(space, token));
        }
        shared_.idle.erase(this);
        if (failed || n <= 0) co_return false;
        buffer_.commit(std::size_t(n));
        co_return true;
    }

    net::Task<bool> answer(http::request<http::string_body> message, unsigned version, bool keep) {
        Request request = request_of(std::move(message), peer_);
        const bool head = request.method == "HEAD";
        const std::string label = request.method + " " + request.path;
        const auto began = std::chrono::steady_clock::now();
        auto watch = watch_for_departure();
        request.gone = watch->source.token();
        Response response;
        std::string failure;
        try {
            response = co_await shared_.handler(std::move(request));
        } catch (const std::exception& e) {
            failure = e.what();
        }
        if (!failure.empty()) {
            shared_.log.error("request failed", {{"request", label}, {"error", failure}});
            response = error_response(500, "an internal error occurred; the log tells more");
        }
        const bool streams = response.stream && !head;
        bool written = false;
        if (streams)
            written = co_await write_stream(response, version, keep);
        else
            written = co_await write_plain(response, version, keep, head);
        watch->done = true;
        watch->again.cancel();
        error_code ignored;
        socket().cancel(ignored);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        shared_.metrics.observe("hearth_http_request_seconds", seconds, {{"status", std::to_string(response.status)}});
        shared_.log.debug("request", {{"request", label}, {"status", response.status}, {"ms", seconds * 1000}});
        co_return written;
    }

    struct Watch {
        explicit Watch(asio::any_io_executor executor) : again(executor) {}
        base::StopSource source;
        asio::steady_timer again;
        bool done = false;
    };

    std::shared_ptr<Watch> watch_for_departure() {
        auto watch = std::make_shared<Watch>(socket().get_executor());
        look_when_readable(watch);
        return watch;
    }

    // What can be read is the end of the connection, or a request sent before this one is answered:
    // behind that the end would go unseen, so it is looked for again.
    void look_when_readable(std::shared_ptr<Watch> watch) {
        auto readable = [this, watch](error_code failed) {
            if (failed || watch->done) return;
            if (other_end_left(socket().native_handle())) return watch->source.request_stop();
            auto later = [this, watch](error_code cancelled) {
                if (!cancelled && !watch->done) look_when_readable(watch);
            };
            watch->again.expires_after(std::chrono::milliseconds(50));
            watch->again.async_wait(later);
        };
        socket().async_wait(Socket::wait_read, readable);
    }

    net::Task<bool> write_plain(const Response& response, unsigned version, bool keep, bool head = false) {
        auto message = plain_response(response, version, keep);
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        lowest().expires_after(shared_.options.write_deadline);
        if (head) {
            auto alone = head_only(message);
            co_await http::async_write(stream_, alone, token);
        } else {
            co_await http::async_write(stream_, message, token);
        }
        lowest().expires_never();
        co_return !failed;
    }

    class Writer final : public BodyWriter {
    public:
        Writer(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}
        net::Task<bool> write(std::string piece) override {
            if (gone || piece.empty()) co_return !gone;
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            connection_.lowest().expires_after(connection_.shared_.options.write_deadline);
            if (chunked_) {
                const auto chunk = http::make_chunk(asio::buffer(piece));
                co_await asio::async_write(connection_.stream_, chunk, token);
            } else {
                co_await asio::async_write(connection_.stream_, asio::buffer(piece), token);
            }
            connection_.lowest().expires_never();
            gone = bool(failed);
            co_return !gone;
        }
        bool gone = false;

    private:
        Connection& connection_;
        bool chunked_;
    };

    net::Task<bool> write_stream(const Response& response, unsigned version, bool keep) {
        const bool chunked = version >= 11;
        http::response<http::empty_body> head;
        head.base() = plain_response(response, version, keep && chunked).base();
        head.erase(http::field::content_length);
        head.chunked(chunked);
        http::response_serializer<http::empty_body> serializer(head);
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        lowest().expires_after(shared_.options.write_deadline);
        co_await http::async_write_header(stream_, serializer, token);
        lowest().expires_never();
        if (failed) co_return false;
        Writer writer(*this, chunked);
        co_await response.stream(writer);
        if (writer.gone) co_return false;
        if (chunked) {
            const auto last = http::make_chunk_last();
            lowest().expires_after(shared_.options.write_deadline);
            co_await asio::async_write(stream_, last, token);
            lowest().expires_never();
        }
        co_return !failed && chunked;
    }

    // Answers what was no proper request.
    net::Task<void> refuse(error_code failed, bool late) {
        int status = 400;
        std::string why = "the request is not valid HTTP: " + failed.message();
        const bool malformed = failed.category() == http::make_error_code(http::error::end_of_stream).category();
        if (late) {
            status = 408;
            why = "the request took too long to arrive";
        } else if (failed == http::error::header_limit) {
            status = 431;
            why = "the headers are larger than " + std::to_string(shared_.options.header_bytes) + " bytes";
        } else if (failed == http::error::body_limit) {
            status = 413;
            why = "the body is larger than " + std::to_string(shared_.options.body_bytes) + " bytes (server.body_mib)";
        } else if (!malformed || failed == http::error::end_of_stream || failed == http::error::partial_message) {
            co_return;  // the client left
        }
        Response refusal = error_response(status, why);
        co_await turn_away(std::move(refusal));
    }

    // Says that nothing follows, and takes in what the client is still sending: closing with unread
    // bytes resets the connection, and the answer could be lost with it.
    net::Task<void> linger() {
        co_await say_goodbye();
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        Limit limit(socket(), std::chrono::seconds(2));
        std::vector<char> scratch(16384);
        while (!failed && !limit.hit()) co_await socket().async_read_some(asio::buffer(scratch), token);
    }

    Stream stream_;
    Peer peer_;
    Shared& shared_;
    beast::flat_buffer buffer_;
    bool greeted_ = false;
};

}  // namespace server::detail
