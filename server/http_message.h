// Between Beast's messages and our plain ones.
#pragma once

#include <sys/types.h>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "server/http.h"

namespace server::detail {

namespace http = boost::beast::http;

Request request_of(http::request<http::string_body>&& message, const Peer& peer);
// What is wrong with a request whose headers have been read: its status and why. Status 0: nothing.
struct Objection {
    int status = 0;
    std::string why;
};
Objection objection_to(const http::request<http::string_body>& message);

// What is wrong with a header that ended early, as if it had come in one piece: a parser that waits for the rest looks at
// what came meanwhile only when the header is whole.
boost::system::error_code fault_of_part(std::string_view header, std::size_t limit);

http::response<http::string_body> plain_response(const Response& response, unsigned version, bool keep_alive);
// The bytes of its status line and headers (RFC 9112): of the answer to HEAD, and of one whose body is streamed.
std::string head_of(const http::response<http::string_body>& whole);
std::string bytes_of(const http::response<http::string_body>& whole);

// Receives bytes and, with them, a descriptor that the peer passed. -1 with errno like recvmsg.
ssize_t receive_with_fd(int socket, void* data, std::size_t size, std::shared_ptr<sandbox::Fd>& fd);
// Whether the other end has closed, or will send nothing more; whatever lies unread before that.
bool other_end_left(int socket);

}  // namespace server::detail
