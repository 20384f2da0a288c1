#include "server/dashboard.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/embedded.h"
#include "store/digest.h"

namespace server {

extern const base::EmbeddedFile dashboard_files[];
extern const unsigned long dashboard_files_count;

namespace {

// The first part of a view's address, as server/dashboard/main.js has them.
constexpr std::string_view kViews[] = {"", "chat", "runs", "schedules", "memory", "mathcore", "agents", "prompts", "models", "messages", "people", "secrets", "system"};

struct File {
    std::string_view text;
    std::string type, tag;
};

std::string type_of(std::string_view name) {
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "text/html; charset=utf-8";
}

const File* find_file(std::string_view name) {
    static const std::map<std::string, File, std::less<>> files = [] {
        std::map<std::string, File, std::less<>> out;
        for (unsigned long i = 0; i < dashboard_files_count; ++i) {
            const std::string_view text(dashboard_files[i].text, dashboard_files[i].size);
            out[dashboard_files[i].name] = {text, type_of(dashboard_files[i].name), "\"" + store::sha256_hex(text).substr(0, 32) + "\""};
        }
        return out;
    }();
    const auto found = files.find(name);
    return found == files.end() ? nullptr : &found->second;
}

const File* file_at(std::string_view path) {
    constexpr std::string_view kFolder = "/ui/";
    if (path.starts_with(kFolder)) return find_file(path.substr(kFolder.size()));
    const std::string_view view = path.substr(1, path.find('/', 1) - 1);
    if (view.empty() && path.size() > 1) return nullptr;
    return std::find(std::begin(kViews), std::end(kViews), view) == std::end(kViews) ? nullptr : find_file("index.html");
}

}  // namespace

std::optional<Response> dashboard_file(const Request& request) {
    const File* const file = request.path.starts_with('/') ? file_at(request.path) : nullptr;
    if (!file) return std::nullopt;
    if (request.method != "GET" && request.method != "HEAD") {
        Response refused = error_response(405, request.path + " takes GET, HEAD, not " + request.method, "method_not_allowed");
        refused.headers["Allow"] = "GET, HEAD";
        return refused;
    }
    Response response;
    response.headers = {{"ETag", file->tag},
                        {"Cache-Control", "no-cache"},  // asked for again each time, and answered by 304
                        {"Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"},
                        {"Cross-Origin-Resource-Policy", "same-origin"},
                        {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"}};
    if (request.header("if-none-match") == file->tag) {
        response.status = 304;
        return response;
    }
    response.content_type = file->type;
    response.body = file->text;
    return response;
}

}  // namespace server
