#include "router/roster.h"

#include <algorithm>

namespace router {
namespace {

// The request's own word counts.
SamplingRequest filled(SamplingRequest wish, const SamplingRequest& row) {
    const auto fill = [](auto& to, const auto& from) {
        if (!to) to = from;
    };
    fill(wish.temperature, row.temperature);
    fill(wish.top_p, row.top_p);
    fill(wish.min_p, row.min_p);
    fill(wish.repetition_penalty, row.repetition_penalty);
    fill(wish.presence_penalty, row.presence_penalty);
    fill(wish.frequency_penalty, row.frequency_penalty);
    fill(wish.top_k, row.top_k);
    fill(wish.seed, row.seed);
    return wish;
}

}  // namespace

ModelRequest shaped(ModelRequest request, const Alias& row) {
    request.sampling = filled(std::move(request.sampling), row.sampling);
    if (row.max_tokens > 0) request.max_tokens = std::min(request.max_tokens, row.max_tokens);
    if (row.prompt.empty() || !request.on_behalf.agent.empty()) return request;
    // Templates take one system message, at the front.
    const bool has_system = !request.messages.empty() && request.messages.front().role == MessageRole::system;
    if (!has_system) request.messages.insert(request.messages.begin(), Message::make(MessageRole::system, row.prompt));
    else request.messages.front().parts.insert(request.messages.front().parts.begin(), {Part::Kind::text, row.prompt + "\n\n", {}, {}});
    return request;
}

}  // namespace router
