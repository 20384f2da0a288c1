#include "app/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace app {

volatile std::sig_atomic_t interrupted = 0;

namespace {

void on_interrupt(int) { interrupted = 1; }

}  // namespace

// Without SA_RESTART, so that a waiting read returns.
void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, nullptr);
}

namespace {

using base::Code;

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    bool send_all(const std::string& text, int folder) {
        std::size_t sent = 0;
        while (sent < text.size()) {
            iovec part{const_cast<char*>(text.data()) + sent, text.size() - sent};
            alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
            msghdr message{};
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            if (sent == 0 && folder >= 0) {  // the descriptor rides on the first bytes
                message.msg_control = control;
                message.msg_controllen = sizeof control;
                cmsghdr* c = CMSG_FIRSTHDR(&message);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                std::memcpy(CMSG_DATA(c), &folder, sizeof folder);
            }
            const ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            sent += std::size_t(n);
        }
        return true;
    }

    // More bytes into `buffer`; false at the end, and when the person interrupted.
    bool receive(std::string& buffer) {
        char bytes[8192];
        ssize_t n = -1;
        do {
            // Not to sleep through a signal that came just before: poll looks again soon.
            pollfd readable{fd_, POLLIN, 0};
            const int ready = ::poll(&readable, 1, 100);
            if (interrupted || (ready < 0 && errno != EINTR)) return false;
            if (ready <= 0) continue;
            n = ::recv(fd_, bytes, sizeof bytes, 0);
            if (n == 0 || (n < 0 && errno != EINTR)) return false;
        } while (n < 0);
        buffer.append(bytes, std::size_t(n));
        return true;
    }

private:
    int fd_;
};

// Splits a stream of event lines; see server/sse.h for the form.
class Events {
public:
    explicit Events(const EventReader& reader) : reader_(reader) {}
    bool feed(const std::string& text) {
        pending_ += text;
        for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1))
            if (!line(pending_.substr(0, end))) return false;
        return true;
    }

private:
    bool line(const std::string& text) {
        if (text.empty()) {
            const bool go_on = !has_data_ || reader_(event_);
            event_ = {};
            has_data_ = false;
            return go_on;
        }
        if (text.rfind("id: ", 0) == 0) event_.id = text.substr(4);
        if (text.rfind("event: ", 0) == 0) event_.name = text.substr(7);
        if (text.rfind("data: ", 0) == 0) {
            event_.data += (has_data_ ? "\n" : "") + text.substr(6);
            has_data_ = true;
        }
        return true;
    }
    const EventReader& reader_;
    ServerEvent event_;
    std::string pending_;
    bool has_data_ = false;
};

struct Head {
    int status = 0;
    std::map<std::string, std::string> fields;  // names in lower case
};

base::Result<Head> read_head(Socket& socket, std::string& buffer) {
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
        if (!socket.receive(buffer)) return base::error(Code::unavailable, "the server closed the connection");
    Head head;
    std::string text = buffer.substr(0, end);
    buffer.erase(0, end + 4);
    head.status = text.size() > 12 ? std::atoi(text.c_str() + 9) : 0;
    for (std::size_t at = text.find("\r\n"); at != text.npos; at = text.find("\r\n", at + 2)) {
        const auto colon = text.find(": ", at + 2), line_end = std::min(text.find("\r\n", at + 2), text.size());
        if (colon > line_end) continue;
        std::string name = text.substr(at + 2, colon - at - 2);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        head.fields[name] = text.substr(colon + 2, line_end - colon - 2);
    }
    return head;
}

// The body piece by piece to `take`; false from it ends the reading.
void read_body(Socket& socket, std::string buffer, const Head& head, const std::function<bool(std::string)>& take) {
    const auto length = head.fields.find("content-length");
    if (length != head.fields.end()) {
        const std::size_t wanted = std::strtoull(length->second.c_str(), nullptr, 10);
        while (buffer.size() < wanted && socket.receive(buffer)) {
        }
        take(buffer.substr(0, wanted));
        return;
    }
    for (;;) {  // chunked
        std::size_t line;
        while ((line = buffer.find("\r\n")) == std::string::npos)
            if (!socket.receive(buffer)) return;
        const std::size_t size = std::strtoull(buffer.c_str(), nullptr, 16);
        if (size == 0) return;
        while (buffer.size() < line + 2 + size + 2)
            if (!socket.receive(buffer)) return;
        const std::string piece = buffer.substr(line + 2, size);
        buffer.erase(0, line + 2 + size + 2);
        if (!take(piece)) return;
    }
}

}  // namespace

base::Result<Reply> ask_server(const Ask& ask, const EventReader& events) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (ask.socket.size() >= sizeof address.sun_path)
        return base::error(Code::invalid_argument, "server.socket '" + ask.socket + "' is too long");
    std::memcpy(address.sun_path, ask.socket.c_str(), ask.socket.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return base::error(Code::io, std::string("socket: ") + std::strerror(errno));
    Socket socket(fd);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EACCES)
            return base::error(Code::permission_denied, "you may not use the hearth server at " + ask.socket,
                               "let root add you to the group that owns it (usermod -aG hearth USER) and sign in again, or start your own with deploy/run");
        return base::error(Code::unavailable, "no hearth server answers at " + ask.socket + ": " + std::strerror(errno),
                           "start it with deploy/run or hearth serve");
    }
    std::string request = ask.method + " " + ask.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Hearth-On-Disconnect: cancel\r\n"
                          "Connection: close\r\nContent-Length: " + std::to_string(ask.body.size()) + "\r\n";
    for (const auto& [name, value] : ask.fields) request += name + ": " + value + "\r\n";
    if (!socket.send_all(request + "\r\n" + ask.body, ask.folder)) return base::error(Code::unavailable, "the server closed the connection");
    std::string buffer;
    auto head = read_head(socket, buffer);
    if (!head) return std::move(head).error();
    Reply reply;
    reply.status = head->status;
    const bool streamed = events && head->fields["content-type"].rfind("text/event-stream", 0) == 0;
    Events reader(events);
    reply.fields = head->fields;
    read_body(socket, std::move(buffer), *head, [&](std::string piece) {
        if (streamed) return reader.feed(piece);
        reply.body += piece;
        return true;
    });
    return reply;
}

base::Result<Reply> ask_server(const std::string& socket, const std::string& method, const std::string& path, const base::Json& body, int folder,
                               const EventReader& events) {
    return ask_server({socket, method, path, body.is_null() ? std::string() : base::dump(body), folder}, events);
}

base::Result<base::Json> ask_server_json(const std::string& socket, const std::string& method, const std::string& path, const base::Json& body) {
    return answer_of(ask_server(socket, method, path, body));
}

base::Result<base::Json> answer_of(base::Result<Reply> reply) {
    if (!reply) return std::move(reply).error();
    auto answer = base::parse_json(reply->body);
    if (!answer || reply->status / 100 == 2) return answer;
    const auto code = reply->status == 404 ? base::Code::not_found : reply->status == 409 ? base::Code::conflict : base::Code::unavailable;
    return base::error(code, (*answer)["error"].value("message", "HTTP " + std::to_string(reply->status)));
}

}  // namespace app
