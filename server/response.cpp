#include <algorithm>
#include <cctype>
#include <charconv>

#include "server/http.h"

namespace server {
namespace {

std::string_view type_of(int status) {
    if (status == 401) return "authentication_error";
    if (status == 403) return "permission_error";
    if (status == 404) return "not_found_error";
    if (status == 409) return "conflict_error";
    if (status == 429) return "rate_limit_error";
    if (status == 503) return "service_unavailable";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string percent_decoded(std::string_view text, bool plus_is_blank) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (escape) {
            out += char(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

const std::string& Request::header(const std::string& lower_case_name) const {
    static const std::string none;
    const auto it = headers.find(lower_case_name);
    return it == headers.end() ? none : it->second;
}

std::string Request::query_value(const std::string& name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        if (percent_decoded(pair.substr(0, equals), true) == name)
            return equals < pair.size() ? percent_decoded(pair.substr(equals + 1), true) : std::string();
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

base::Result<int> Request::query_number(const std::string& name, int otherwise, int least, int most) const {
    const std::string text = query_value(name);
    if (text.empty()) return otherwise;
    int value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        return base::error(base::Code::invalid_argument, name + " is '" + text + "' but must be a whole number from " +
                                                             std::to_string(least) + " to " + std::to_string(most));
    return value;
}

Response json_response(const base::Json& body, int status) {
    Response out;
    out.status = status;
    out.body = base::dump(body);
    return out;
}

Response list_response(base::Json data) {
    base::Json body = {{"object", "list"}};
    body["data"] = std::move(data);
    return json_response(body);
}

int status_of(base::Code code) {
    switch (code) {
        case base::Code::invalid_argument:
        case base::Code::context_length_exceeded:
        case base::Code::unsupported: return 400;
        case base::Code::permission_denied: return 403;
        case base::Code::not_found: return 404;
        case base::Code::conflict: return 409;
        case base::Code::resource_exhausted: return 429;
        case base::Code::unavailable: return 503;
        case base::Code::deadline: return 504;
        case base::Code::cancelled: return 499;
        case base::Code::corrupt:
        case base::Code::io:
        case base::Code::internal: return 500;
    }
    return 500;
}

Response error_response(const base::Error& error, const std::string& param) {
    return error_response(status_of(error.code), error.text(), std::string(base::name(error.code)), param);
}

Response error_response(int status, const std::string& message, const std::string& code, const std::string& param) {
    base::Json inner = {{"message", message}, {"type", std::string(type_of(status))}};
    inner["param"] = param.empty() ? base::Json(nullptr) : base::Json(param);
    inner["code"] = code.empty() ? base::Json(nullptr) : base::Json(code);
    Response out = json_response({{"error", std::move(inner)}}, status);
    if (status == 503) out.headers["Retry-After"] = "2";
    return out;
}

void name_fields(Response& response, const char* header, const std::vector<std::string>& fields) {
    std::string names;
    for (const auto& name : fields) {
        const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || std::string_view("_-.[]/$~").find(char(c)) != std::string_view::npos; });
        const bool fits = names.size() + name.size() < 1000;
        if (plain && fits && !name.empty()) names += (names.empty() ? "" : ", ") + name;
    }
    if (!names.empty()) response.headers[header] = names;
}

void name_ignored(Response& response, const std::vector<std::string>& fields) { name_fields(response, "X-Hearth-Ignored-Fields", fields); }

}  // namespace server
