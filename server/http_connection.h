// One connection: reads requests, hands them to the handler, writes the answers.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include "server/byte_stream.h"
#include "server/http_deadline.h"
#include "server/http_message.h"

namespace server::detail {

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

class Connection {
public:
    Connection(std::unique_ptr<ByteStream> stream, Peer peer, Shared& shared);

    // Requests and answers, until one of the two ends has had enough.
    net::Task<void> run();
    // Answers without reading, then closes.
    net::Task<void> turn_away(Response response);

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    class Writer;
    struct Watch;

    net::Task<bool> greet();
    net::Task<bool> one_request(bool first);
    net::Task<bool> first_bytes(std::chrono::milliseconds patience);
    net::Task<void> read(Parser& parser, bool whole, error_code& failed);
    net::Task<bool> read_header(Parser& parser);
    net::Task<bool> is_let_in(Parser& parser);
    net::Task<bool> read_body(Parser& parser);
    net::Task<bool> answer(http::request<http::string_body> message, unsigned version, bool keep);
    std::shared_ptr<Watch> watch_for_departure();
    void look_when_readable(std::shared_ptr<Watch> watch);
    net::Task<bool> write(const std::string& bytes);
    net::Task<bool> write_stream(const Response& response, unsigned version, bool keep);
    net::Task<void> refuse(error_code failed, bool late);
    net::Task<void> say_goodbye();
    net::Task<void> linger();
    Socket& socket() { return stream_->socket(); }

    std::unique_ptr<ByteStream> stream_;
    Peer peer_;
    Shared& shared_;
    boost::beast::flat_buffer buffer_;
    bool greeted_ = false;
};

}  // namespace server::detail
