// One connection: reads requests, hands them to the handler, writes the answers. A template over the
// protocol, so that TCP and Unix sockets share it; included by http_server.cpp only.
#pragma once

#include <sys/socket.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "server/http.h"

namespace server::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

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

// Once `limit` has passed, cancels what the stream waits for. Absolute: a client that trickles bytes
// does not push it on. Unlike the stream's own time-out it leaves the socket open for an answer.
template <class Stream>
class Deadline {
public:
    Deadline(Stream& stream, std::chrono::milliseconds limit) : state_(std::make_shared<State>(stream)) { arm(state_, limit); }
    ~Deadline() {
        state_->over = true;
        state_->timer.cancel();
    }
    Deadline(const Deadline&) = delete;
    bool hit() const { return state_->hit; }

private:
    struct State {
        explicit State(Stream& s) : stream(s), timer(s.get_executor()) {}
        Stream& stream;  // outlived by the Deadline, not by this
        boost::asio::steady_timer timer;
        bool hit = false, over = false;
    };
    static void arm(std::shared_ptr<State> state, std::chrono::milliseconds after) {
        auto expired = [state](boost::system::error_code cancelled) {
            if (cancelled || state->over) return;
            state->hit = true;
            boost::system::error_code ignored;
            state->stream.socket().cancel(ignored);
            arm(state, std::chrono::milliseconds(50));  // a read that was just being restarted escaped this one
        };
        state->timer.expires_after(after);
        state->timer.async_wait(expired);
    }
    std::shared_ptr<State> state_;
};

std::string decoded_path(std::string_view target);
Request request_of(http::request<http::string_body>&& message, const Peer& peer);
http::response<http::string_body> plain_response(const Response& response, unsigned version, bool keep_alive);

// Receives bytes and, with them, a descriptor that the peer passed. -1 with errno like recvmsg.
ssize_t receive_with_fd(int socket, void* data, std::size_t size, std::shared_ptr<sandbox::Fd>& fd);

template <class Protocol>
class Connection {
public:
    using Stream = beast::basic_stream<Protocol>;

    Connection(Stream stream, Peer peer, Shared& shared) : stream_(std::move(stream)), peer_(std::move(peer)), shared_(shared) {}

    net::Task<void> run() {
        bool more = true;
        for (bool first = true; more && !shared_.stopping; first = false) more = co_await one_request(first);
        error_code ignored;
        stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
    }

    // Answers without reading, then closes.
    net::Task<void> turn_away(Response response) {
        co_await write_plain(response, 11, false);
        co_await linger();
    }

private:
    using Parser = http::request_parser<http::string_body>;
    using Limit = Deadline<Stream>;

    // True when the connection can serve another.
    net::Task<bool> one_request(bool first) {
        if (!co_await first_bytes(first ? shared_.options.header_deadline : shared_.options.idle_deadline)) co_return false;
        Parser parser;
        parser.header_limit(std::uint32_t(shared_.options.header_bytes));
        parser.body_limit(shared_.options.body_bytes);
        if (!co_await read_header(parser)) co_return false;
        if (parser.get().count(http::field::host) > 1) {
            co_await turn_away(error_response(400, "the request has more than one Host header"));
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
        Limit limit(stream_, shared_.options.header_deadline);
        co_await http::async_read_header(stream_, buffer_, parser, token);
        if (failed) co_await refuse(failed, limit.hit());
        co_return !failed;
    }

    net::Task<bool> read_body(Parser& parser) {
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        Limit limit(stream_, shared_.options.body_deadline);
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
        Limit limit(stream_, patience);
        shared_.idle[this] = [this] {
            error_code ignored;
            stream_.socket().cancel(ignored);
        };
        const auto space = buffer_.prepare(4096);
        ssize_t n = 0;
        if constexpr (std::is_same_v<Protocol, asio::local::stream_protocol>) {
            co_await stream_.socket().async_wait(Protocol::socket::wait_read, token);
            std::shared_ptr<sandbox::Fd> fd;
            if (!failed) n = receive_with_fd(stream_.socket().native_handle(), space.data(), space.size(), fd);
            if (fd) peer_.workspace = fd;
        } else {
            n = ssize_t(co_await stream_.socket().async_read_some(space, token));
        }
        shared_.idle.erase(this);
        if (failed || n <= 0) co_return false;
        buffer_.commit(std::size_t(n));
        co_return true;
    }

    net::Task<bool> answer(http::request<http::string_body> message, unsigned version, bool keep) {
        Request request = request_of(std::move(message), peer_);
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
        const bool written = response.stream ? co_await write_stream(response, version, keep) : co_await write_plain(response, version, keep);
        watch->done = true;
        error_code ignored;
        stream_.socket().cancel(ignored);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        shared_.metrics.observe("hearth_http_request_seconds", seconds, {{"status", std::to_string(response.status)}});
        shared_.log.debug("request", {{"request", label}, {"status", response.status}, {"ms", seconds * 1000}});
        co_return written;
    }

    struct Watch {
        base::StopSource source;
        bool done = false;
    };

    // A readable socket with nothing to read is a client that left.
    std::shared_ptr<Watch> watch_for_departure() {
        auto watch = std::make_shared<Watch>();
        auto looked = [this, watch](error_code failed) {
            if (failed || watch->done) return;
            char byte;
            const ssize_t n = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) watch->source.request_stop();
        };
        stream_.socket().async_wait(Protocol::socket::wait_read, looked);
        return watch;
    }

    net::Task<bool> write_plain(const Response& response, unsigned version, bool keep) {
        auto message = plain_response(response, version, keep);
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        stream_.expires_after(shared_.options.write_deadline);
        co_await http::async_write(stream_, message, token);
        stream_.expires_never();
        co_return !failed;
    }

    class Writer final : public BodyWriter {
    public:
        Writer(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}
        net::Task<bool> write(std::string piece) override {
            if (gone || piece.empty()) co_return !gone;
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            connection_.stream_.expires_after(connection_.shared_.options.write_deadline);
            if (chunked_) {
                const auto chunk = http::make_chunk(asio::buffer(piece));
                co_await asio::async_write(connection_.stream_, chunk, token);
            } else {
                co_await asio::async_write(connection_.stream_, asio::buffer(piece), token);
            }
            connection_.stream_.expires_never();
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
        stream_.expires_after(shared_.options.write_deadline);
        co_await http::async_write_header(stream_, serializer, token);
        stream_.expires_never();
        if (failed) co_return false;
        Writer writer(*this, chunked);
        co_await response.stream(writer);
        if (writer.gone) co_return false;
        if (chunked) {
            const auto last = http::make_chunk_last();
            stream_.expires_after(shared_.options.write_deadline);
            co_await asio::async_write(stream_, last, token);
            stream_.expires_never();
        }
        co_return !failed && chunked;
    }

    // Answers what was no proper request.
    net::Task<void> refuse(error_code failed, bool late) {
        int status = 400;
        std::string why = "the request is not valid HTTP: " + failed.message();
        if (late) {
            status = 408;
            why = "the request took too long to arrive";
        } else if (failed == http::error::header_limit) {
            status = 431;
            why = "the headers are larger than " + std::to_string(shared_.options.header_bytes) + " bytes";
        } else if (failed == http::error::body_limit) {
            status = 413;
            why = "the body is larger than " + std::to_string(shared_.options.body_bytes) + " bytes (server.body_mib)";
        } else if (failed == http::error::end_of_stream || failed == http::error::partial_message ||
                   failed.category() == asio::error::get_system_category()) {
            co_return;  // the client left
        }
        co_await turn_away(error_response(status, why));
    }

    // Says that nothing follows, and takes in what the client is still sending: closing with unread
    // bytes resets the connection, and the answer could be lost with it.
    net::Task<void> linger() {
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        stream_.socket().shutdown(Protocol::socket::shutdown_send, failed);
        Limit limit(stream_, std::chrono::seconds(2));
        std::vector<char> scratch(16384);
        while (!failed && !limit.hit()) co_await stream_.socket().async_read_some(asio::buffer(scratch), token);
    }

    Stream stream_;
    Peer peer_;
    Shared& shared_;
    beast::flat_buffer buffer_;
};

}  // namespace server::detail
