#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "server/http_connection.h"
#include "server/socket_access.h"

namespace server {
namespace {

using namespace detail;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

Peer peer_of(Tcp::socket& socket) {
    Peer peer;
    error_code failed;
    const auto end = socket.remote_endpoint(failed);
    if (!failed) peer.address = end.address().to_string();
    return peer;
}

Peer peer_of(Local::socket& socket) {
    Peer peer;
    peer.unix_socket = true;
    peer.uid = ~0u;  // nobody, when the kernel does not say
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) peer.uid = credentials.uid;
    return peer;
}

// At `port`; errors name the one of the options.
base::Result<void> bind_tcp(Tcp::acceptor& acceptor, const HttpOptions& options, int port) {
    error_code failed;
    const std::string section = options.settings;
    std::string variable = "HEARTH_" + section + "_PORT";
    for (char& c : variable) c = char(std::toupper(static_cast<unsigned char>(c)));
    const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, failed);
    if (failed)
        return base::error(base::Code::invalid_argument, section + ".host is '" + options.host + "', which is no IP address", "use 127.0.0.1");
    const Tcp::endpoint end(address, std::uint16_t(port));
    acceptor.open(end.protocol(), failed);
    if (!failed) acceptor.set_option(Tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor.bind(end, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (!failed) return {};
    const std::string where = options.host + ":" + std::to_string(options.port);
    const bool taken = failed == asio::error::address_in_use;
    std::string remedy = "set " + section + ".host to an address of this machine, for example 127.0.0.1";
    if (taken) remedy = "another program uses the port: stop it, or set " + section + ".port (" + variable + ")";
    if (failed == asio::error::access_denied) remedy = "ports below 1024 are root's: set " + section + ".port (" + variable + ")";
    return base::error(taken ? base::Code::conflict : base::Code::unavailable, "cannot listen on " + where + ": " + failed.message(), remedy);
}

base::Error socket_error(const std::string& path, const std::string& why) {
    return base::error(base::Code::io, "cannot listen on " + path + ": " + why, "set server.socket (HEARTH_SERVER_SOCKET) to a path that this user may write");
}

// Whether the path could be bound: its folder is there or made, and nobody answers on it.
base::Result<void> check_local(const std::string& path) {
    if (path.empty()) return {};
    if (path.size() > 107)
        return base::error(base::Code::invalid_argument, "server.socket '" + path + "' is longer than the 107 bytes of a Unix socket's path", "set server.socket (HEARTH_SERVER_SOCKET)");
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code made;
    if (std::filesystem::create_directories(folder, made)) ::chmod(folder.c_str(), 0750);
    if (made) return socket_error(path, made.message());
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return socket_error(path, std::strerror(errno));
    asio::io_context io;
    Local::socket probe(io);
    error_code refused;
    probe.connect(Local::endpoint(path), refused);
    if (!refused)
        return base::error(base::Code::unavailable, "cannot listen on " + path + ": another server answers there",
                           "stop it, or set server.socket (HEARTH_SERVER_SOCKET)");
    return {};
}

base::Result<void> bind_local(Local::acceptor& acceptor, const std::string& path) {
    if (path.empty()) return {};
    if (auto free = check_local(path); !free) return free;
    ::unlink(path.c_str());  // a leftover
    error_code failed;
    const Local::endpoint end(path);
    acceptor.open(end.protocol(), failed);
    const mode_t mask = ::umask(0117);  // 0660 from the first moment on
    if (!failed) acceptor.bind(end, failed);
    ::umask(mask);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return socket_error(path, failed.message());
    return {};
}

base::Result<std::shared_ptr<asio::ssl::context>> tls_context(const HttpOptions& options) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    using Context = asio::ssl::context;
    error_code failed;
    context->set_options(Context::no_tlsv1 | Context::no_tlsv1_1 | Context::single_dh_use, failed);
    const auto refuse = [&](const char* what, const std::string& file) {
        return base::error(base::Code::invalid_argument, std::string("cannot use the ") + what + " " + file + ": " + failed.message(),
                           "set server.certificate and server.certificate_key to PEM files that belong together");
    };
    context->use_certificate_chain_file(options.certificate, failed);
    if (failed) return refuse("certificate", options.certificate);
    context->use_private_key_file(options.key, Context::pem, failed);
    if (failed) return refuse("certificate's key", options.key);
    return context;
}

class BeastServer final : public HttpServer {
public:
    BeastServer(asio::any_io_executor executor, HttpOptions options, Handler handler, base::Log& log, base::Metrics& metrics)
        : executor_(executor), shared_(new Shared{std::move(options), std::move(handler), log, metrics, 0, false, {}}), tcp_(executor), local_(executor) {}

    ~BeastServer() override { close_listeners(); }

    base::Result<void> listen() {
        if (!shared_->options.certificate.empty()) {
            auto context = tls_context(shared_->options);
            if (!context) return std::move(context).error();
            tls_ = *std::move(context);
        }
        error_code no_address;
        asio::ip::make_address(shared_->options.host, no_address);
        if (!tls_ && !no_address && !is_loopback(shared_->options.host))
            return base::error(base::Code::invalid_argument,
                               std::string(shared_->options.settings) + ".host is '" + shared_->options.host + "', which others can reach, and there is no certificate: keys would cross the network unencrypted",
                               "use 127.0.0.1, or set server.certificate and server.certificate_key");
        if (auto bound = bind_tcp(tcp_, shared_->options, shared_->options.port); !bound) return bound;
        if (auto bound = bind_local(local_, shared_->options.socket); !bound) return bound;
        for (const unsigned uid : shared_->options.socket_users)
            if (auto admitted = admit_user(shared_->options.socket, uid); !admitted)
                shared_->log.warn("a user cannot reach the socket", {{"error", admitted.error().text()}});
        spawn_accepting(tcp_);
        if (local_.is_open()) spawn_accepting(local_);
        return {};
    }

    int port() const override { return tcp_.local_endpoint().port(); }
    int connections() const override { return shared_->connections; }
    void stop() override {
        shared_->stopping = true;
        close_listeners();
        const auto idle = shared_->idle;
        for (const auto& [connection, end] : idle) end();
    }

private:
    void close_listeners() {
        error_code ignored;
        tcp_.close(ignored);
        if (!local_.is_open()) return;
        local_.close(ignored);
        ::unlink(shared_->options.socket.c_str());
    }

    template <class Acceptor>
    void spawn_accepting(Acceptor& acceptor) {
        net::spawn(executor_, accept(acceptor, shared_, tls_), [this](std::exception_ptr) { shared_->log.error("the listener ended"); });
    }

    template <class Acceptor>
    static net::Task<void> accept(Acceptor& acceptor, std::shared_ptr<Shared> shared, std::shared_ptr<asio::ssl::context> tls) {
        while (!shared->stopping) {
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            auto socket = co_await acceptor.async_accept(token);
            if (failed == asio::error::operation_aborted || shared->stopping) co_return;
            if (failed) {  // out of descriptors, say: wait instead of spinning
                shared->log.warn("accept failed", {{"error", failed.message()}});
                asio::steady_timer timer(acceptor.get_executor(), std::chrono::milliseconds(100));
                co_await timer.async_wait(token);
                continue;
            }
            const auto executor = acceptor.get_executor();
            net::spawn(executor, serve(std::move(socket), shared, tls), [shared](std::exception_ptr) { shared->log.warn("a connection failed"); });
        }
    }

    template <class Accepted>
    static net::Task<void> serve(Accepted socket, std::shared_ptr<Shared> shared, std::shared_ptr<asio::ssl::context> tls) {
        struct Count {
            int& n;
            explicit Count(int& c) : n(++c) {}
            ~Count() { --n; }
        } count(shared->connections);
        if (shared->connections > 2 * shared->options.max_connections) co_return;
        Peer peer = peer_of(socket);
        bool encrypted = false;
        if constexpr (std::is_same_v<Accepted, Tcp::socket>) {
            error_code ignored;
            socket.set_option(Tcp::no_delay(true), ignored);  // a streamed token leaves at once
            encrypted = tls != nullptr;
        }
        Connection connection(encrypted ? tls_stream(std::move(socket), tls) : plain_stream(std::move(socket)), std::move(peer), *shared);
        if (shared->connections > shared->options.max_connections) {
            Response refusal = error_response(503, "too many connections (server.max_connections)");
            co_await connection.turn_away(std::move(refusal));
        } else {
            co_await connection.run();
        }
    }

    asio::any_io_executor executor_;
    std::shared_ptr<Shared> shared_;  // connections hold it too
    std::shared_ptr<asio::ssl::context> tls_;  // null: plain TCP
    Tcp::acceptor tcp_;
    Local::acceptor local_;
};

}  // namespace

base::Result<void> HttpServer::check(const HttpOptions& options) {
    asio::io_context io;
    Tcp::acceptor acceptor(io);
    if (auto free = bind_tcp(acceptor, options, options.port); !free) return free;
    return check_local(options.socket);
}

base::Result<void> HttpServer::check_host(const HttpOptions& options) {
    asio::io_context io;
    Tcp::acceptor acceptor(io);
    return bind_tcp(acceptor, options, 0);  // a free one: nobody is in the way
}

bool is_loopback(const std::string& host) {
    if (host == "localhost") return true;
    error_code failed;
    const auto address = asio::ip::make_address(host, failed);
    if (failed) return false;
    const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
    return mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback() : address.is_loopback();
}

base::Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::any_io_executor executor, HttpOptions options, Handler handler,
                                                            base::Log& log, base::Metrics& metrics) {
    auto server = std::make_unique<BeastServer>(executor, std::move(options), std::move(handler), log, metrics);
    if (auto listening = server->listen(); !listening) return std::move(listening).error();
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace server
