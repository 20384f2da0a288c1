#include "support/stub_server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <sstream>
#include <thread>

namespace support {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

StubRequest read_request(tcp::socket& socket) {
    asio::streambuf buffer;
    asio::read_until(socket, buffer, "\r\n\r\n");
    std::istream in(&buffer);
    StubRequest request;
    std::string line;
    in >> request.method >> request.target;
    std::getline(in, line);
    while (std::getline(in, line) && line != "\r") {
        const auto colon = line.find(':');
        std::string name = line.substr(0, colon);
        for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
        request.headers.emplace_back(name, line.substr(colon + 2, line.size() - colon - 3));
    }
    const std::string length = request.header("content-length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    request.body.assign(std::istreambuf_iterator<char>(in), {});
    if (request.body.size() < size) {
        std::string rest(size - request.body.size(), '\0');
        asio::read(socket, asio::buffer(rest));
        request.body += rest;
    }
    return request;
}

std::string head_of(const StubReply& reply) {
    std::ostringstream out;
    out << "HTTP/1.1 " << reply.status << " Stub\r\nConnection: close\r\n";
    for (const auto& [name, value] : reply.headers) out << name << ": " << value << "\r\n";
    if (reply.sized) {
        std::size_t size = reply.drop ? 1 : 0;
        for (const auto& chunk : reply.chunks) size += chunk.size();
        out << "Content-Length: " << size << "\r\n\r\n";
    } else {
        out << "Transfer-Encoding: chunked\r\n\r\n";
    }
    return out.str();
}

std::string framed(const StubReply& reply, const std::string& chunk) {
    if (reply.sized) return chunk;
    std::ostringstream out;
    out << std::hex << chunk.size() << "\r\n" << chunk << "\r\n";
    return out.str();
}

}  // namespace

std::string StubRequest::header(const std::string& name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

struct StubServer::State {
    explicit State(Script s) : script(std::move(s)), acceptor(io, {asio::ip::address_v4::loopback(), 0}) {
        port = acceptor.local_endpoint().port();
        acceptor.non_blocking(true);
    }

    void pause(std::chrono::milliseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        while (!ending && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }

    void serve(tcp::socket& socket) {
        const StubRequest request = read_request(socket);
        {
            std::lock_guard lock(mutex);
            asked.push_back(request);
        }
        const StubReply reply = script(request);
        pause(reply.delay);
        asio::write(socket, asio::buffer(head_of(reply)));
        for (std::size_t i = 0; i < reply.chunks.size() && !ending; ++i) {
            if (i) pause(reply.chunk_delay);
            asio::write(socket, asio::buffer(framed(reply, reply.chunks[i])));
        }
        if (!reply.drop && !reply.sized) asio::write(socket, asio::buffer(std::string("0\r\n\r\n")));
    }

    void accept() {
        while (!ending) {
            tcp::socket socket(io);
            boost::system::error_code error;
            acceptor.accept(socket, error);
            if (error) {
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                continue;
            }
            socket.non_blocking(false);
            connections.emplace_back([this, socket = std::move(socket)]() mutable {
                try {
                    serve(socket);
                } catch (const boost::system::system_error&) {
                    ++broken;
                }
            });
        }
        for (auto& connection : connections) connection.join();
    }

    Script script;
    asio::io_context io;
    tcp::acceptor acceptor;
    unsigned short port = 0;
    std::atomic<bool> ending{false};
    std::atomic<int> broken{0};
    mutable std::mutex mutex;
    std::vector<StubRequest> asked;
    std::vector<std::thread> connections;
    std::thread thread;
};

StubServer::StubServer(Script script) : state_(std::make_shared<State>(std::move(script))) {
    state_->thread = std::thread([state = state_.get()] { state->accept(); });
}

StubServer::~StubServer() {
    state_->ending = true;
    state_->thread.join();
}

std::string StubServer::url(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(state_->port) + target;
}

std::vector<StubRequest> StubServer::requests() const {
    std::lock_guard lock(state_->mutex);
    return state_->asked;
}

int StubServer::broken() const { return state_->broken; }

}  // namespace support
