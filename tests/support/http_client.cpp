#include "support/http_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <utility>

namespace support {
namespace {

int connected(int family, const sockaddr* address, socklen_t size) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, address, size) != 0) {
        const std::string why = std::strerror(errno);
        if (fd >= 0) ::close(fd);
        throw std::runtime_error("cannot connect: " + why);
    }
    return fd;
}

}  // namespace

std::string Reply::error(const char* field) const {
    const base::Json body = json();
    const base::Json& inner = body.at("error");
    for (const char* name : {"message", "type", "param", "code"})
        if (!inner.contains(name)) throw std::runtime_error(std::string("the envelope lacks ") + name);
    return inner.at(field).is_string() ? inner.at(field).get<std::string>() : std::string();
}

Client Client::tcp(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return Client(connected(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address));
}

Client Client::local(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return Client(connected(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address));
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
Client::~Client() { leave(); }

void Client::leave() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Client::send(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t n = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
        if (n <= 0) return;  // the server has hung up: its answer tells why
        at += std::size_t(n);
    }
}

void Client::send_with_descriptor(const std::string& bytes, int fd) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (::sendmsg(fd_, &message, MSG_NOSIGNAL) != ssize_t(bytes.size())) throw std::runtime_error("sendmsg failed");
}

bool Client::more(int timeout_ms) {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, timeout_ms) <= 0) return false;
    char bytes[16384];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, std::size_t(n));
    return true;
}

std::string Client::read_until(const std::string& text) {
    while (buffer_.find(text) == buffer_.npos)
        if (!more(10000)) return std::exchange(buffer_, {});
    const auto end = buffer_.find(text) + text.size();
    std::string out = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return out;
}

void Client::end() { ::shutdown(fd_, SHUT_WR); }

bool Client::ended() {
    pollfd wait{fd_, POLLIN, 0};
    char byte;
    return ::poll(&wait, 1, 5000) > 0 && ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

Reply Client::read() {
    Reply reply;
    const std::string head = read_until("\r\n\r\n");
    if (head.size() < 12 || head.compare(0, 7, "HTTP/1.") != 0) return reply;
    reply.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size() - 2;) {
        const auto end = head.find("\r\n", at), colon = head.find(": ", at);
        std::string name = head.substr(at, colon - at);
        for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
        reply.headers[name] = head.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    if (reply.status == 100) return reply;
    if (reply.headers["transfer-encoding"] == "chunked") {
        for (;;) {
            const std::size_t size = std::stoul(read_until("\r\n"), nullptr, 16);
            while (buffer_.size() < size + 2 && more(10000)) {}
            if (buffer_.size() < size + 2) throw std::runtime_error("a chunk was cut off");
            reply.body += buffer_.substr(0, size);
            buffer_.erase(0, size + 2);
            if (size == 0) return reply;
        }
    }
    const std::size_t size = reply.headers.contains("content-length") ? std::stoul(reply.headers["content-length"]) : 0;
    while (buffer_.size() < size && more(10000)) {}
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
}

std::string request_text(const std::string& method, const std::string& path, const std::string& body, const std::string& key,
                         const std::string& headers) {
    std::string out = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    if (!key.empty()) out += "Authorization: Bearer " + key + "\r\n";
    if (!body.empty() || method == "POST") out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out + headers + "\r\n" + body;
}

}  // namespace support
