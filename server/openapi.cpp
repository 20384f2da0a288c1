// The OpenAPI document, made from the route table.
#include <algorithm>

#include "server/routes.h"

namespace server {
namespace {

using base::Json;

const char* kSchemas = R"({
  "Message": {"type": "object", "required": ["role"], "properties": {
    "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
    "content": {"oneOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]},
    "tool_calls": {"type": "array", "items": {"type": "object"}}, "tool_call_id": {"type": "string"}, "name": {"type": "string"}}},
  "ChatCompletion": {"type": "object", "required": ["model", "messages"], "properties": {
    "model": {"type": "string"}, "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
    "stream": {"type": "boolean"}, "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2}, "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "max_tokens": {"type": "integer", "minimum": 1}, "max_completion_tokens": {"type": "integer", "minimum": 1}, "seed": {"type": "integer"},
    "stop": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2}, "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "logit_bias": {"type": "object", "additionalProperties": {"type": "number"}}, "n": {"type": "integer", "minimum": 1, "maximum": 1},
    "tools": {"type": "array", "items": {"type": "object"}}, "tool_choice": {}, "response_format": {"type": "object"}}},
  "DevChat": {"type": "object", "required": ["messages"], "properties": {
    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
    "conversation_id": {"type": "string"}, "workspace": {"type": "string"}, "read_only": {"type": "boolean"}, "stream": {"type": "boolean"}}},
  "NewKey": {"type": "object", "properties": {"label": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string", "enum": ["chat", "dev", "admin"]}}}},
  "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["message", "type"], "properties": {
    "message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]}}}}}
})";

Json operation(const Route& route) {
    Json error = {{"description", "an error"}, {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
    Json out = {{"summary", route.summary}};
    out["responses"]["200"] = {{"description", "done"}};
    out["responses"]["default"] = std::move(error);
    out["security"] = route.access == Access::open ? Json::array() : Json::array({Json{{"key", Json::array()}}});
    if (*route.request_schema) {
        out["requestBody"]["required"] = true;
        out["requestBody"]["content"]["application/json"]["schema"]["$ref"] = std::string("#/components/schemas/") + route.request_schema;
    }
    const std::string path = route.path;
    for (std::size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
        out["parameters"].push_back({{"name", path.substr(at + 1, path.find('}', at) - at - 1)}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    return out;
}

}  // namespace

base::Json openapi(const std::string& version) {
    Json out = {{"openapi", "3.1.0"}, {"info", {{"title", "Hearth"}, {"version", version}}}};
    for (const auto& route : routes()) {
        std::string method = route.method;
        std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
        out["paths"][route.path][method] = operation(route);
    }
    out["components"]["schemas"] = Json::parse(kSchemas);
    out["components"]["securitySchemes"]["key"] = {{"type", "http"}, {"scheme", "bearer"}};
    return out;
}

}  // namespace server
