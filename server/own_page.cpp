#include "server/own_page.h"

#include <sodium.h>

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "base/trim.h"
#include "store/digest.h"
#include "store/sign_in.h"

namespace server {
namespace {

constexpr const char* kToken = "x-hearth-csrf";

// Browsers hold a cookie of a host for all of its ports: two servers of one machine would take each other's away.
std::string cookie_name(const Request& request, bool tls) {
    if (tls) return "__Host-hearth";
    const std::string& host = request.header("host");
    const auto colon = host.rfind(':');
    const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
    return "hearth_" + (port ? host.substr(colon + 1) : "80");
}

std::string attributes(bool tls) { return std::string("; Path=/; HttpOnly; SameSite=Strict") + (tls ? "; Secure" : ""); }

// Over TLS a page that came in clear is another's; behind a proxy that speaks TLS for this server either may be.
bool is_own_origin(const std::string& origin, const Request& request, bool tls) {
    const std::string host = base::ascii_lower(request.header("host")), given = base::ascii_lower(origin);
    return given == "https://" + host || (!tls && given == "http://" + host);
}

bool same(const std::string& a, const std::string& b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

base::Error refused(const std::string& why) { return base::error(base::Code::permission_denied, why, "open the dashboard at this server's own address"); }

}  // namespace

std::string session_cookie(const Request& request, bool tls) {
    const std::string name = cookie_name(request, tls) + "=";
    std::string_view rest = request.header("cookie");
    while (!rest.empty()) {
        const auto end = std::min(rest.find(';'), rest.size());
        const std::string_view one = base::trimmed(rest.substr(0, end));
        if (one.starts_with(name)) return std::string(one.substr(name.size()));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

std::string cookie_of(const Request& request, bool tls, const std::string& secret) {
    const auto seconds = std::chrono::seconds(store::kSessionTime).count();
    return cookie_name(request, tls) + "=" + secret + attributes(tls) + "; Max-Age=" + std::to_string(seconds);
}

std::string no_cookie(const Request& request, bool tls) { return cookie_name(request, tls) + "=" + attributes(tls) + "; Max-Age=0"; }

std::string csrf_token(const std::string& secret) { return store::sha256_hex("csrf " + secret); }

base::Result<void> from_no_foreign_page(const Request& request, bool tls) {
    const std::string& site = request.header("sec-fetch-site");
    if (!site.empty() && site != "same-origin") return refused("the browser says that a page of elsewhere asks (Sec-Fetch-Site: " + site + ")");
    const std::string& origin = request.header("origin");
    if (!origin.empty() && !is_own_origin(origin, request, tls)) return refused("a session is not for pages of '" + origin + "'");
    return {};
}

base::Result<void> from_own_page(const Request& request, bool tls, const std::string& secret) {
    if (auto foreign = from_no_foreign_page(request, tls); !foreign) return foreign;
    if (request.header("sec-fetch-site").empty() && request.header("origin").empty())
        return refused("the browser does not say which page asks: neither Sec-Fetch-Site nor Origin was sent");
    const bool asks_for_token = request.method == "GET" && request.path == "/v1/session";
    if (!asks_for_token && !same(request.header(kToken), csrf_token(secret))) return refused("X-Hearth-CSRF is not the token of this session");
    return {};
}

}  // namespace server
