#include "app/check.h"

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <cctype>

#include "app/backends.h"
#include "app/bridges.h"
#include "app/cast.h"
#include "app/database.h"
#include "app/nightly.h"
#include "app/heartbeat.h"
#include "base/split.h"
#include "net/http_client.h"
#include "server/http.h"
#include "store/cluster_programs.h"

namespace app {
namespace {

using base::Code;

constexpr std::size_t kSocketPath = 107;  // bytes of a Unix socket's path

base::Error wrong(const std::string& message, const std::string& remedy) { return base::error(Code::invalid_argument, message, remedy); }

base::Result<void> check_address(const Settings& s) {
    server::HttpOptions http;
    http.host = s.server.host;
    http.port = s.server.port;
    if (auto usable = server::HttpServer::check_host(http); !usable) return usable;
    if (s.server.socket.size() > kSocketPath)
        return wrong("server.socket '" + s.server.socket + "' is longer than the " + std::to_string(kSocketPath) + " bytes of a Unix socket's path", "set server.socket (HEARTH_SERVER_SOCKET)");
    const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']'; };
    for (const auto& host : base::split(s.server.public_host, ','))
        if (host.empty() || !std::all_of(host.begin(), host.end(), fits)) return wrong("server.public_host holds '" + host + "', which is no host name", "for example hearth.example,192.168.1.5");
    return {};
}

base::Result<void> check_certificate(const Settings& s) {
    const std::string &certificate = s.server.certificate, &key = s.server.certificate_key;
    if (certificate.empty() && key.empty()) return {};
    if (certificate.empty() || key.empty()) return wrong("one of server.certificate and server.certificate_key is set and the other is not", "set both, or neither");
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    boost::system::error_code failed;
    const auto refuse = [&](const char* setting, const std::string& file) {
        return wrong("cannot use " + file + " (" + setting + "): " + failed.message(), "set server.certificate and server.certificate_key to PEM files that belong together");
    };
    context.use_certificate_chain_file(certificate, failed);
    if (failed) return refuse("server.certificate", certificate);
    context.use_private_key_file(key, boost::asio::ssl::context::pem, failed);
    if (failed) return refuse("server.certificate_key", key);
    return {};
}

base::Result<void> check_heartbeat(const Settings& s) {
    const auto options = heartbeat_options(s);
    return options ? base::Result<void>() : options.error();
}

base::Result<void> check_database(const Settings& s) {
    if (!has_private_cluster(s)) return {};
    if (!s.database.owner_url.empty()) return wrong("database.owner_url is set, but database.url is not", "set both, or neither for the private cluster");
    if (s.database.binaries.empty()) return {};
    auto programs = store::find_programs(cluster_options(s), 0);
    if (!programs) return std::move(programs).error();
    return {};
}

base::Result<void> check_traces(const Settings& s) {
    const std::string& endpoint = s.traces.otlp_endpoint;
    if (endpoint.empty() || ((endpoint.rfind("http://", 0) == 0 || endpoint.rfind("https://", 0) == 0) && !net::host_of(endpoint).empty())) return {};
    return wrong("traces.otlp_endpoint is '" + endpoint + "', expected an http or https URL", "for example http://127.0.0.1:4318");
}

}  // namespace

base::Result<Checked> check_settings(const Settings& s) {
    for (const auto& check : {check_address, check_certificate, check_database, check_backends, check_traces, check_bridges, check_nightly, check_heartbeat})
        if (auto fine = check(s); !fine) return std::move(fine).error();
    auto cast = cast_of(s);
    if (!cast) return std::move(cast).error();
    return Checked{*std::move(cast)};
}

}  // namespace app
