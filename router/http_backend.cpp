#include "router/http_backend.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "net/sse.h"
#include "router/chat_stream.h"
#include "router/embedding_json.h"

namespace router {
namespace {

using base::Code;

constexpr std::size_t kMostVectorBytes = std::size_t(256) << 20;  // 2048 vectors of 4096 numbers of 20 digits are 168 MB

// What an error's body says: OpenAI's {"error": {"message"}}, else its first bytes.
std::string said(const net::HttpResponse& response) {
    if (const auto json = base::parse_json(response.body); json && json->is_object())
        if (const auto it = json->find("error"); it != json->end()) {
            if (it->is_string()) return it->get<std::string>();
            if (it->is_object() && it->contains("message") && (*it)["message"].is_string())
                return (*it)["message"].get<std::string>();
        }
    return response.body.substr(0, 300);
}

// The error's code, as OpenAI and its peers name it.
std::string code_of(const net::HttpResponse& response) {
    const auto json = base::parse_json(response.body);
    if (!json || !json->is_object() || !json->contains("error") || !(*json)["error"].is_object()) return {};
    const auto& code = (*json)["error"].value("code", base::Json());
    return code.is_string() ? code.get<std::string>() : std::string();
}

// Ends the transfer from inside its sink.
struct BadStream {
    base::Error error;
};

}  // namespace

HttpBackend::HttpBackend(Options options, net::HttpClient& client) : options_(std::move(options)), client_(client) {}

BackendStatus HttpBackend::status() const {
    BackendStatus status;
    status.state = BackendStatus::State::ready;
    status.detail = options_.model + " at " + options_.url;
    status.facts = {{"url", options_.url}, {"model", options_.model}};
    return status;
}

base::Error HttpBackend::refused(const net::HttpResponse& response) {
    const std::string what = fmt::format("upstream '{}' ({}) answered {}: {}", options_.id, options_.url, response.status, said(response));
    if (response.status == 429 || response.status >= 500 || response.status == 408) {
        const std::string after = response.header("retry-after");
        return base::error(Code::unavailable, what, after.empty() ? "" : "it asks to wait " + after + " s");
    }
    if (response.status == 401 || response.status == 403)
        return base::error(Code::permission_denied, what, "put a valid key into the file that upstream.key_file names");
    if (response.status == 404)
        return base::error(Code::not_found, what, "check upstream.url (with /v1) and upstream.model");
    if (response.status / 100 == 3)
        return base::error(Code::not_found, what, "set upstream.url to " + response.header("location"));
    if (code_of(response) == base::name(Code::context_length_exceeded)) return base::error(Code::context_length_exceeded, what, "shorten the prompt");
    return base::error(Code::invalid_argument, what);
}

net::HttpRequest HttpBackend::posting(const std::string& route, std::string body, const base::StopToken& stop) const {
    net::HttpRequest http;
    http.method = "POST";
    http.url = options_.url + route;
    http.headers = {{"Content-Type", "application/json"}};
    if (!options_.key.empty()) http.headers.emplace_back("Authorization", "Bearer " + options_.key);
    http.body = std::move(body);
    http.stop = stop;
    http.connect_timeout = options_.connect_timeout;
    http.total_timeout = options_.answer_timeout;
    return http;
}

net::Task<base::Result<ModelReply>> HttpBackend::generate(ModelRequest request, DeltaSink sink) {
    const auto body = chat_body(request, options_.model).dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace);
    net::HttpRequest http = posting("/chat/completions", body, request.stop);
    http.headers.emplace_back("Accept", "text/event-stream");

    ChatStream stream(sink);
    net::SseParser events;
    using Time = std::chrono::steady_clock;
    const auto began = Time::now();
    std::optional<Time::time_point> first;
    net::BodySink on_body = [&](std::string_view bytes) {
        if (!first) first = Time::now();
        auto read = events.feed(bytes);
        if (!read) throw BadStream{std::move(read).error()};
        for (const auto& event : *read)
            if (auto taken = stream.take(event.data); !taken) throw BadStream{std::move(taken).error()};
    };
    std::optional<base::Error> failure;
    try {
        const auto response = co_await client_.fetch(std::move(http), on_body);
        if (!response && !stream.finished()) failure = response.error();
        else if (response && response->status != 200) failure = refused(*response);
        else if (!stream.started())
            failure = base::error(Code::corrupt, fmt::format("upstream '{}' ({}) answered without a chat completion", options_.id, options_.url),
                                  "check that upstream.url names an OpenAI-compatible server, with /v1");
        else if (!stream.finished())
            failure = base::error(Code::unavailable, fmt::format("upstream '{}' ended its answer before the end", options_.id));
    } catch (BadStream& bad) {
        failure = std::move(bad.error);
    }
    // A stopped answer is a reply, as with the embedded engine: what came so far.
    const base::StopReason stopped = failure ? request.stop.reason() : base::StopReason::none;
    if (failure && stopped == base::StopReason::none) {
        if (failure->code == Code::deadline) failure->code = Code::unavailable;  // its slowness, not the caller's limit
        co_return *failure;
    }
    ModelReply reply = std::move(stream).reply();
    if (stopped != base::StopReason::none) {
        reply.message.tool_calls.clear();  // the last one may be cut
        reply.finish = stopped == base::StopReason::deadline ? FinishReason::deadline : FinishReason::cancelled;
    }
    reply.backend = options_.id;
    if (reply.model.empty()) reply.model = options_.model;
    using std::chrono::duration_cast;
    reply.usage.prefill = duration_cast<std::chrono::microseconds>(first.value_or(Time::now()) - began);  // waiting and network included
    reply.usage.decode = duration_cast<std::chrono::microseconds>(Time::now() - first.value_or(Time::now()));
    co_return reply;
}

net::Task<base::Result<EmbeddingReply>> HttpBackend::embed(EmbeddingRequest request) {
    net::HttpRequest http = posting("/embeddings", base::dump(embedding_body(request, options_.model)), request.stop);
    http.max_body_bytes = kMostVectorBytes;
    const auto began = std::chrono::steady_clock::now();
    const auto response = co_await client_.fetch(std::move(http));
    if (!response) {
        base::Error failure = response.error();
        if (request.stop.stopped()) co_return request.stop.error("the embedding");
        if (failure.code == Code::deadline) failure.code = Code::unavailable;  // its slowness, not the caller's limit
        co_return failure;
    }
    if (response->status != 200) co_return refused(*response);
    auto reply = read_embeddings(response->body, request.inputs.size());
    if (!reply)
        co_return base::error(Code::corrupt, fmt::format("upstream '{}' ({}): {}", options_.id, options_.url, reply.error().message),
                              "check that upstream.url names an OpenAI-compatible server, with /v1, and upstream.embedding_model a model that embeds");
    reply->backend = options_.id;
    if (reply->model.empty()) reply->model = options_.model;
    reply->usage.prefill = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    co_return reply;
}

net::Task<base::Result<int>> HttpBackend::count(ModelRequest) {
    co_return base::error(Code::unsupported, fmt::format("upstream '{}' cannot count a prompt's tokens", options_.id));
}

}  // namespace router
