#include "router/refusal.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/ascii.h"
#include "base/json.h"
#include "base/utf8.h"

namespace router {
namespace {

std::string text_of(const base::Json& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool holds_any(const std::string& text, std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* word) { return text.find(word) != text.npos; });
}

constexpr std::size_t kMostSaid = 300;  // bytes of a page that is no error of an API

struct Said {
    std::string code, type, message;
};

Said said_by(const std::string& body) {
    auto json = base::parse_json(body);
    if (json && json->is_array() && json->size() == 1) json = base::Json(json->front());  // so Google's compatible routes send it
    if (!json || !json->is_object()) return {{}, {}, base::valid_utf8(base::beginning(body, kMostSaid))};
    const auto it = json->find("error");
    if (it != json->end() && it->is_string()) return {{}, {}, it->get<std::string>()};
    // vLLM and others put the error's fields at the top.
    const base::Json& error = it != json->end() && it->is_object() ? *it : *json;
    Said out{text_of(error, "code"), text_of(error, "type"), text_of(error, "message")};
    if (out.message.empty()) out.message = base::beginning(body, kMostSaid);
    return out;
}

// By code, type or words of an error; nothing when they tell of none.
std::optional<RefusalKind> told_kind(const std::string& code, const std::string& type, const std::string& message) {
    const std::string names = base::ascii_lower(code + " " + type), words = base::ascii_lower(message);
    if (holds_any(names, {"insufficient_quota", "billing", "credit", "payment_required"}) ||
        holds_any(words, {"credit balance is too low", "billing hard limit", "plan and billing", "insufficient balance", "insufficient credit", "exceeded your current quota"}))
        return RefusalKind::billing;
    if (holds_any(names, {"rate_limit", "too_many_requests"})) return RefusalKind::rate_limit;
    if (holds_any(names, {"overloaded", "server_error", "api_error", "timeout", "service_unavailable"})) return RefusalKind::overloaded;
    if (holds_any(names, {"authentication", "permission", "invalid_api_key"}) || holds_any(words, {"api key not valid", "api key expired", "invalid api key", "incorrect api key"}))
        return RefusalKind::key;
    if (holds_any(names, {"model_not_found", "invalid_model"})) return RefusalKind::missing;
    if (holds_any(names, {"context_length_exceeded"}) || holds_any(words, {"maximum context length", "prompt is too long", "exceeds the context", "exceed context limit"}))
        return RefusalKind::context;
    return std::nullopt;
}

std::optional<long> whole_number(const std::string& text) {
    long value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
}

constexpr long kLongestWait = 86400;  // seconds; beyond it a number is nonsense, and sums of it must not overflow

std::optional<base::SteadyPoint> retry_after(const net::HttpResponse& response, base::SteadyPoint now, base::TimePoint wall_now) {
    using std::chrono::milliseconds, std::chrono::seconds;
    if (const auto ms = whole_number(response.header("retry-after-ms"))) return now + milliseconds(std::min(*ms, kLongestWait * 1000));
    const std::string text = response.header("retry-after");
    if (const auto s = whole_number(text)) return now + seconds(std::min(*s, kLongestWait));
    std::tm date{};
    if (text.empty() || !strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date)) return std::nullopt;
    const auto at = std::chrono::system_clock::from_time_t(timegm(&date));
    const auto wait = std::chrono::duration_cast<seconds>(at - wall_now);
    return now + std::clamp(wait, seconds(0), seconds(kLongestWait));
}

}  // namespace

RefusalKind kind_of_error(const std::string& code, const std::string& type, const std::string& message) {
    if (const auto told = told_kind(code, type, message)) return *told;
    const std::string names = base::ascii_lower(code + " " + type);
    if (holds_any(names, {"not_found"})) return RefusalKind::missing;
    if (holds_any(names, {"invalid_request"})) return RefusalKind::request;
    return RefusalKind::overloaded;  // it had begun to answer: the request was fine
}

Refusal read_refusal(const net::HttpResponse& response, base::SteadyPoint now, base::TimePoint wall_now) {
    const Said said = said_by(response.body);
    Refusal out{RefusalKind::request, said.message, retry_after(response, now, wall_now)};
    const auto told = told_kind(said.code, said.type, said.message);
    const int status = response.status;
    if (told == RefusalKind::billing || status == 402) out.kind = RefusalKind::billing;
    else if (status == 429) out.kind = RefusalKind::rate_limit;
    else if (status >= 500 || status == 408) out.kind = RefusalKind::overloaded;
    else if (status == 401 || status == 403) out.kind = RefusalKind::key;
    else if (status == 404) out.kind = RefusalKind::missing;
    else if (status / 100 == 3) out.kind = RefusalKind::elsewhere;
    else if (status < 400) out.kind = RefusalKind::missing;
    else if (told) out.kind = *told;
    else if (status == 413) out.kind = RefusalKind::context;
    return out;
}

base::Code code_of(RefusalKind kind) {
    using base::Code;
    switch (kind) {
        case RefusalKind::billing:
        case RefusalKind::rate_limit:
        case RefusalKind::overloaded: return Code::unavailable;
        case RefusalKind::key: return Code::permission_denied;
        case RefusalKind::missing:
        case RefusalKind::elsewhere: return Code::not_found;
        case RefusalKind::context: return Code::context_length_exceeded;
        case RefusalKind::request: return Code::invalid_argument;
    }
    return Code::invalid_argument;
}

}  // namespace router
