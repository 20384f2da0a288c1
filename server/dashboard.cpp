#include "server/dashboard.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "base/embedded.h"
#include "store/digest.h"

namespace server {

extern const base::EmbeddedFile dashboard_files[];
extern const unsigned long dashboard_files_count;

namespace {

// The first part of a view's address, as server/dashboard/views.js has them; its module, and what shows one of its things beside that.
struct ViewModules {
    std::string_view address, module, of_one;
};
constexpr ViewModules kViewModules[] = {
    {"", "chat.js", ""},         {"chat", "chat.js", "turn.js"},   {"runs", "runs.js", "run.js"}, {"schedules", "schedules.js", ""}, {"memory", "memory.js", ""},
    {"mathcore", "mathcore.js", ""}, {"agents", "agents.js", ""},  {"prompts", "prompts.js", ""}, {"models", "models.js", ""},       {"messages", "messages.js", ""},
    {"people", "people.js", ""}, {"secrets", "secrets.js", ""},    {"system", "system.js", ""},
};

struct File {
    std::string text, type, tag;
};

std::string type_of(std::string_view name) {
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "text/html; charset=utf-8";
}

File file_of(std::string text, std::string_view name) {
    std::string tag = "\"" + store::sha256_hex(text).substr(0, 32) + "\"";
    return {std::move(text), type_of(name), std::move(tag)};
}

const File* find_file(std::string_view name) {
    static const std::map<std::string, File, std::less<>> files = [] {
        std::map<std::string, File, std::less<>> out;
        for (unsigned long i = 0; i < dashboard_files_count; ++i) out[dashboard_files[i].name] = file_of(std::string(dashboard_files[i].text, dashboard_files[i].size), dashboard_files[i].name);
        return out;
    }();
    const auto found = files.find(name);
    return found == files.end() ? nullptr : &found->second;
}

// The module and those that it imports, each once.
void add_modules(const std::string& name, std::vector<std::string>& to) {
    constexpr std::string_view kImport = "from \"./";
    const File* const module = find_file(name);
    if (!module || std::find(to.begin(), to.end(), name) != to.end()) return;
    to.push_back(name);
    const std::string_view text = module->text;
    for (auto at = text.find(kImport); at != text.npos; at = text.find(kImport, at + 1)) {
        const auto from = at + kImport.size();
        add_modules(std::string(text.substr(from, text.find('"', from) - from)), to);
    }
}

// The page, which names all modules that the view at its address needs, so that the browser asks for them at once and not one behind the other.
File page_of(const ViewModules& view, bool one) {
    constexpr std::string_view kMain = "main.js", kPlace = "<!-- modules -->\n";
    std::vector<std::string> modules;
    add_modules(std::string(kMain), modules);
    add_modules(std::string(view.module), modules);
    if (one) add_modules(std::string(view.of_one), modules);
    std::string links;
    for (const auto& name : modules)
        if (name != kMain) links += "<link rel=\"modulepreload\" href=\"/ui/" + name + "\">\n";
    std::string page = find_file("index.html")->text;
    return file_of(page.replace(page.find(kPlace), kPlace.size(), links), "index.html");
}

struct Pages {
    File all, one;  // at the view's own address, and at that of one of its things
};

const File* file_at(std::string_view path) {
    static const std::map<std::string_view, Pages> pages = [] {
        std::map<std::string_view, Pages> out;
        for (const ViewModules& view : kViewModules) out[view.address] = {page_of(view, false), page_of(view, true)};
        return out;
    }();
    constexpr std::string_view kFolder = "/ui/";
    if (path.starts_with(kFolder)) return find_file(path.substr(kFolder.size()));
    const auto end = path.find('/', 1);
    const std::string_view view = path.substr(1, end - 1);
    const auto found = view.empty() && path.size() > 1 ? pages.end() : pages.find(view);
    if (found == pages.end()) return nullptr;
    return end == path.npos || end + 1 == path.size() ? &found->second.all : &found->second.one;
}

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

Response response_with(const File& file) {
    Response response;
    response.headers = {{"ETag", file.tag},
                        {"Cache-Control", "no-cache"},  // asked for again each time, and answered by 304
                        {"Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"},
                        {"Cross-Origin-Resource-Policy", "same-origin"},
                        {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"}};
    response.content_type = file.type;
    response.body = file.text;
    return response;
}

}  // namespace

std::optional<Response> dashboard_file(const Request& request) {
    const File* const file = request.path.starts_with('/') ? file_at(request.path) : nullptr;
    if (!file) return std::nullopt;
    if (!reads(request)) {
        Response refused = error_response(405, request.path + " takes GET, HEAD, not " + request.method, "method_not_allowed");
        refused.headers["Allow"] = "GET, HEAD";
        return refused;
    }
    Response response = response_with(*file);
    if (request.header("if-none-match") != file->tag) return response;
    response.status = 304;
    response.body.clear();
    return response;
}

std::optional<Response> page_of_nothing(const Request& request) {
    if (!reads(request) || request.header("accept").find("text/html") == std::string::npos) return std::nullopt;
    Response response = response_with(*find_file("nothing.html"));
    response.status = 404;
    response.headers.erase("ETag");
    response.headers["Cache-Control"] = "no-store";
    response.headers["Vary"] = "Accept";
    return response;
}

}  // namespace server
