// The OpenAPI document, made from the route table.
#include <algorithm>
#include <cctype>

#include "base/split.h"
#include "server/routes.h"

namespace server {
namespace {

using base::Json;

Json reference(const std::string& to) { return {{"$ref", "#/components/" + to}}; }

Json content_of(const std::string& answer) {
    const bool media_type = answer.find('/') != answer.npos;
    if (!media_type) return {{"application/json", {{"schema", reference("schemas/" + answer)}}}};
    return {{answer, {{"schema", {{"type", answer == "application/json" ? "object" : "string"}}}}}};
}

// "/v1/models/{id*}" → "/v1/models/{id}"
std::string plain_path(std::string path) {
    std::erase(path, '*');
    return path;
}

Json parameters_of(const Route& route) {
    Json out = Json::array();
    const std::string path = plain_path(route.path);
    for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
        out.push_back({{"name", path.substr(at + 1, path.find('}', at) - at - 1)}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    for (const std::string& name : base::split(route.query, ',')) out.push_back(reference("parameters/" + name));
    return out;
}

// What takes a body may be asked for a stream, belongs to a conversation and outlives its client.
void add_chat(Json& operation) {
    Json& answer = operation["responses"]["200"];
    answer["content"]["text/event-stream"]["schema"] = {{"type", "string"}};
    for (const char* name : {"X-Hearth-Run", "X-Hearth-Conversation", "X-Hearth-Ignored-Fields", "X-Hearth-Loose-Tools"}) answer["headers"][name] = reference("headers/" + std::string(name));
    operation["parameters"].push_back(reference("parameters/on_disconnect"));
    if (operation["operationId"] != "post_v0_dev_chat") operation["parameters"].push_back(reference("parameters/conversation"));
}

// "POST /v1/runs/{id}/stop" → "post_v1_runs_id_stop"
std::string operation_id(const Route& route) {
    std::string out = route.method + plain_path(route.path);
    for (char& c : out) c = std::isalnum(static_cast<unsigned char>(c)) ? char(std::tolower(static_cast<unsigned char>(c))) : '_';
    out.erase(std::unique(out.begin(), out.end(), [](char a, char b) { return a == '_' && b == '_'; }), out.end());
    if (out.back() == '_') out.pop_back();
    return out;
}

Json operation(const Route& route) {
    Json out = {{"summary", route.summary}, {"operationId", operation_id(route)}};
    out["responses"][std::to_string(route.success)] = {{"description", "done"}, {"content", content_of(route.answer)}};
    out["responses"]["default"] = reference("responses/error");
    out["security"] = Json::array({Json{{"key", Json::array()}}});
    if (route.access == Access::open) {
        out["security"].push_back(Json::object());  // a key is optional
        if (!*route.body) out["responses"]["503"] = {{"description", "not ready yet"}, {"content", content_of(route.answer)}};
    }
    Json parameters = parameters_of(route);
    if (!parameters.empty()) out["parameters"] = std::move(parameters);
    if (!*route.body) return out;
    out["requestBody"] = {{"required", true}, {"content", {{"application/json", {{"schema", reference("schemas/" + std::string(route.body))}}}}}};
    return out;
}

}  // namespace

Json openapi(const std::string& version) {
    Json out = {{"openapi", "3.1.0"}, {"info", {{"title", "Hearth"}, {"version", version}}}};
    for (const auto& route : routes()) {
        std::string method = route.method;
        std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
        Json& entry = out["paths"][plain_path(route.path)][method];
        entry = operation(route);
        for (const char* end : {"/chat", "/completions", "/responses"})
            if (std::string_view(route.path).ends_with(end)) add_chat(entry);
    }
    out["components"] = openapi_components();
    return out;
}

}  // namespace server
