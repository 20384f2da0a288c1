#include "server/http_connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/string.hpp>
#include <cstdio>
#include <vector>

namespace server::detail {

namespace {

constexpr std::size_t kReadSize = 16384;

// One piece of a chunked body (RFC 9112 §7.1); of nothing: the last.
std::string chunk(std::string_view piece) {
    char size[20];
    std::string out(size, std::size_t(std::snprintf(size, sizeof size, "%zx\r\n", piece.size())));
    out.append(piece).append("\r\n");
    return out;
}

}  // namespace

Connection::Connection(std::unique_ptr<ByteStream> stream, Peer peer, Shared& shared)
    : stream_(std::move(stream)), peer_(std::move(peer)), shared_(shared) {}

net::Task<void> Connection::run() {
    bool more = co_await greet();
    for (bool first = true; more && !shared_.stopping; first = false) more = co_await one_request(first);
    co_await say_goodbye();
}

net::Task<bool> Connection::greet() {
    error_code failed;
    Deadline limit(socket(), shared_.options.header_deadline);
    co_await stream_->greet(failed);
    greeted_ = !failed;
    co_return greeted_;
}

net::Task<void> Connection::turn_away(Response response) {
    if (!greeted_) co_await greet();
    if (!greeted_) co_return;
    const std::string bytes = bytes_of(plain_response(response, 11, false));
    co_await write(bytes);
    co_await linger();
}

net::Task<void> Connection::say_goodbye() {
    error_code ignored;
    Deadline limit(socket(), std::chrono::seconds(1));
    co_await stream_->say_goodbye(ignored);
    socket().shutdown(Socket::shutdown_send, ignored);
}

// True when the connection can serve another.
net::Task<bool> Connection::one_request(bool first) {
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
    if (!co_await is_let_in(parser)) co_return false;
    if (!co_await read_body(parser)) co_return false;
    const unsigned version = parser.get().version();
    const bool keep = parser.get().keep_alive() && !shared_.stopping;
    const bool written = co_await answer(parser.release(), version, keep);
    co_return written && keep;
}

// Until the parser has the header, or the whole message.
net::Task<void> Connection::read(Parser& parser, bool whole, error_code& failed) {
    parser.eager(whole);
    std::string header;  // as far as the parser took it
    while (!(whole ? parser.is_done() : parser.is_header_done())) {
        if (buffer_.size() > 0) {
            failed = {};
            const std::size_t taken = parser.put(buffer_.data(), failed);
            if (!whole) header.append(static_cast<const char*>(buffer_.data().data()), taken);
            buffer_.consume(taken);
            if (!failed) continue;
            if (failed != http::error::need_more) co_return;
        }
        const auto space = buffer_.prepare(kReadSize);
        buffer_.commit(co_await stream_->read_some(space, failed));
        if (failed == asio::error::eof) {
            failed = http::error::end_of_stream;
            if (parser.got_some()) parser.put_eof(failed);
            if (parser.got_some() && !whole) failed = fault_of_part(header.append(static_cast<const char*>(buffer_.data().data()), buffer_.size()), shared_.options.header_bytes);
        }
        if (failed) co_return;
    }
}

net::Task<bool> Connection::read_header(Parser& parser) {
    error_code failed;
    Deadline limit(socket(), shared_.options.header_deadline);
    co_await read(parser, false, failed);
    if (failed) co_await refuse(failed, limit.hit());
    co_return !failed;
}

// A stranger's body takes no memory.
net::Task<bool> Connection::is_let_in(Parser& parser) {
    const bool large = shared_.options.gates_all || parser.chunked() || parser.content_length().value_or(0) > shared_.options.header_bytes;
    if (!large || !shared_.options.gate) co_return true;
    http::request<http::string_body> head(parser.get().base());
    Request request = request_of(std::move(head), peer_);
    std::optional<Response> refusal;
    try {
        refusal = co_await shared_.options.gate(std::move(request));
    } catch (const std::exception& e) {
        shared_.log.error("a request's head could not be judged", {{"error", e.what()}});
        refusal = error_response(500, "an internal error occurred; the log tells more");
    }
    if (refusal) co_await turn_away(*std::move(refusal));
    co_return !refusal;
}

net::Task<bool> Connection::read_body(Parser& parser) {
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!co_await write(go_on)) co_return false;
    }
    error_code failed;
    Deadline limit(socket(), shared_.options.body_deadline);
    co_await read(parser, true, failed);
    if (failed) co_await refuse(failed, limit.hit());
    co_return !failed;
}

// Waits for the next request to begin. On a Unix socket its first bytes may bring a descriptor.
net::Task<bool> Connection::first_bytes(std::chrono::milliseconds patience) {
    if (buffer_.size() > 0) co_return true;
    error_code failed;
    Deadline limit(socket(), patience);
    shared_.idle[this] = [this] {
        error_code ignored;
        socket().cancel(ignored);
    };
    const auto space = buffer_.prepare(kReadSize);
    ssize_t n = 0;
    if (peer_.unix_socket) {
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await socket().async_wait(Socket::wait_read, token);
        peer_.workspace.reset();  // of this request, not of the one before
        if (!failed) n = receive_with_fd(socket().native_handle(), space.data(), space.size(), peer_.workspace);
    } else {
        n = ssize_t(co_await stream_->read_some(space, failed));
    }
    shared_.idle.erase(this);
    if (failed || n <= 0) co_return false;
    buffer_.commit(std::size_t(n));
    co_return true;
}

struct Connection::Watch {
    explicit Watch(asio::any_io_executor executor) : again(executor) {}
    base::StopSource source;
    asio::steady_timer again;
    bool done = false;
};

net::Task<bool> Connection::answer(http::request<http::string_body> message, unsigned version, bool keep) {
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
    bool written = false;
    if (response.stream && !head) {
        written = co_await write_stream(response, version, keep);
    } else {
        const auto whole = plain_response(response, version, keep);
        const std::string bytes = head ? head_of(whole) : bytes_of(whole);
        written = co_await write(bytes);
    }
    watch->done = true;
    watch->again.cancel();
    error_code ignored;
    socket().cancel(ignored);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    shared_.metrics.observe("hearth_http_request_seconds", seconds, {{"status", std::to_string(response.status)}});
    shared_.log.debug("request", {{"request", label}, {"status", response.status}, {"ms", seconds * 1000}});
    co_return written;
}

std::shared_ptr<Connection::Watch> Connection::watch_for_departure() {
    auto watch = std::make_shared<Watch>(socket().get_executor());
    look_when_readable(watch);
    return watch;
}

// What can be read is the end of the connection, or a request sent before this one is answered:
// behind that the end would go unseen, so it is looked for again.
void Connection::look_when_readable(std::shared_ptr<Watch> watch) {
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

net::Task<bool> Connection::write(const std::string& bytes) {
    error_code failed;
    Deadline limit(socket(), shared_.options.write_deadline);
    co_await stream_->write(bytes, failed);
    co_return !failed;
}

class Connection::Writer final : public BodyWriter {
public:
    Writer(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}
    net::Task<bool> write(std::string piece) override {
        if (gone || piece.empty()) co_return !gone;
        if (chunked_) piece = chunk(piece);
        gone = !co_await connection_.write(piece);
        co_return !gone;
    }
    bool gone = false;

private:
    Connection& connection_;
    bool chunked_;
};

net::Task<bool> Connection::write_stream(const Response& response, unsigned version, bool keep) {
    const bool chunked = version >= 11;
    auto whole = plain_response(response, version, keep && chunked);
    whole.erase(http::field::content_length);
    whole.chunked(chunked);
    const std::string head = head_of(whole);
    if (!co_await write(head)) co_return false;
    Writer writer(*this, chunked);
    co_await response.stream(writer);
    if (writer.gone) co_return false;
    if (!chunked) co_return false;
    const std::string last = chunk({});
    co_return co_await write(last);
}

// Answers what was no proper request.
net::Task<void> Connection::refuse(error_code failed, bool late) {
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
net::Task<void> Connection::linger() {
    co_await say_goodbye();
    error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    Deadline limit(socket(), std::chrono::seconds(2));
    std::vector<char> scratch(kReadSize);
    while (!failed && !limit.hit()) co_await socket().async_read_some(asio::buffer(scratch), token);
}

}  // namespace server::detail
