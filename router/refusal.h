// What an upstream's refusal means: its own trouble, which the next backend may not have, or the request's.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http_client.h"

namespace router {

enum class RefusalKind { billing, rate_limit, overloaded, key, missing, elsewhere, context, request };

struct Refusal {
    RefusalKind kind = RefusalKind::request;
    std::string said;                         // the upstream's words, or the first bytes of its body
    std::optional<base::SteadyPoint> not_before;  // Retry-After, in seconds or as a date; retry-after-ms
};

// Of an answer that is not 200. Reads the error bodies of OpenAI ({"error": {"message", "code", "type"}}), Anthropic
// ({"type": "error", "error": {"type", "message"}}) and Ollama ({"error": "…"}).
Refusal read_refusal(const net::HttpResponse& response, base::SteadyPoint now, base::TimePoint wall_now);

// The same of an error object inside a stream whose head said 200.
RefusalKind kind_of_error(const std::string& code, const std::string& type, const std::string& message);

// {unavailable}: billing, rate limit, overloaded. {permission_denied}: key. {not_found}: missing, elsewhere.
// {context_length_exceeded}. {invalid_argument}: the request.
base::Code code_of(RefusalKind kind);

}  // namespace router
