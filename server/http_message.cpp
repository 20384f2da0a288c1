#include "server/http_message.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/beast/core/string.hpp>
#include <cctype>
#include <cstring>
#include <ctime>

namespace server::detail {
namespace {

std::string now_as_http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

// "http://host:port/path" → {"host:port", "/path"}; other forms have no authority.
std::pair<std::string_view, std::string_view> split_target(std::string_view target) {
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos || target.starts_with('/')) return {{}, target};
    const std::size_t from = scheme + 3, to = std::min(target.find_first_of("/?", from), target.size());
    return {target.substr(from, to - from), to < target.size() ? target.substr(to) : "/"};
}

}  // namespace

Request request_of(http::request<http::string_body>&& message, const Peer& peer) {
    Request out;
    out.method = std::string(message.method_string());
    for (const auto& field : message) {
        std::string name(field.name_string());
        for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
        out.headers.emplace(std::move(name), std::string(field.value()));
    }
    const auto [authority, target] = split_target({message.target().data(), message.target().size()});
    if (!authority.empty()) out.headers["host"] = std::string(authority);  // outranks the header
    const auto mark = std::min(target.find('?'), target.size());
    out.raw_path = target.substr(0, mark);
    out.path = percent_decoded(out.raw_path, false);
    if (mark < target.size()) out.query = std::string(target.substr(mark + 1));
    out.body = std::move(message.body());
    out.peer = peer;
    return out;
}

boost::system::error_code fault_of_part(std::string_view header, std::size_t limit) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(std::uint32_t(limit));
    boost::system::error_code fault;
    while (!header.empty() && !fault && !parser.is_header_done()) header.remove_prefix(parser.put(boost::asio::buffer(header.data(), header.size()), fault));
    return fault && fault != http::error::need_more ? fault : http::error::partial_message;
}

Objection objection_to(const http::request<http::string_body>& message) {
    const auto hosts = message.count(http::field::host);
    if (hosts > 1) return {400, "the request has more than one Host header"};
    if (hosts == 0 && message.version() >= 11) return {400, "the request has no Host header"};
    const auto expect = message[http::field::expect];
    if (!expect.empty() && !boost::beast::iequals(expect, "100-continue"))
        return {417, "the expectation '" + std::string(expect) + "' cannot be met; only 100-continue is known"};
    const auto encoding = message[http::field::content_encoding];
    if (!encoding.empty() && !boost::beast::iequals(encoding, "identity"))
        return {415, "the body is encoded as '" + std::string(encoding) + "'; send it as it is"};
    return {};
}

http::response<http::string_body> plain_response(const Response& response, unsigned version, bool keep_alive) {
    http::response<http::string_body> out;
    out.version(version);
    out.result(unsigned(response.status));
    out.set(http::field::server, "hearth");
    out.set(http::field::date, now_as_http_date());
    const bool bare = response.status == 204 || response.status == 304;
    if (!bare) out.set(http::field::content_type, response.content_type);
    out.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) out.set(name, value);
    out.keep_alive(keep_alive);
    if (bare) return out;
    out.body() = response.body;
    out.prepare_payload();
    return out;
}

std::string head_of(const http::response<http::string_body>& whole) {
    std::string out = whole.version() >= 11 ? "HTTP/1.1 " : "HTTP/1.0 ";
    out += std::to_string(whole.result_int()) + " " + std::string(whole.reason()) + "\r\n";
    for (const auto& field : whole) out.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
    return out + "\r\n";
}

std::string bytes_of(const http::response<http::string_body>& whole) { return head_of(whole) + whole.body(); }

ssize_t receive_with_fd(int socket, void* data, std::size_t size, std::shared_ptr<sandbox::Fd>& fd) {
    iovec part{data, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return n;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {  // one is wanted; any more are closed
            int received;
            std::memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof received);
            fd = std::make_shared<sandbox::Fd>(received);
        }
    }
    return n;
}

bool other_end_left(int socket) {
    pollfd look{socket, POLLRDHUP, 0};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace server::detail
