#include "router/http_backend.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/redact.h"
#include "router/embedding_json.h"
#include "router/refusal.h"

namespace router {
namespace {

using base::Code;

constexpr std::size_t kMostVectorBytes = std::size_t(256) << 20;  // 2048 vectors of 4096 numbers of 20 digits are 168 MB

// Ends the transfer from inside its sink.
struct BadStream {
    base::Error error;
};

base::Error named(const HttpBackendOptions& options, base::Error error) {
    error.message = fmt::format("upstream '{}' ({}): {}", options.id, options.url, error.message);
    return error;
}

}  // namespace

HttpBackend::HttpBackend(Options options, net::HttpClient& client) : options_(std::move(options)), client_(client) {}

BackendStatus HttpBackend::status() const {
    BackendStatus status;
    status.state = BackendStatus::State::ready;
    status.detail = options_.model + " at " + options_.url;
    status.facts = {{"url", options_.url}, {"model", options_.model}, {"dialect", options_.dialect->name}};
    return status;
}

net::Task<base::Result<UpstreamKey::Held>> UpstreamKey::get() const {
    if (open_) co_return co_await open_();
    co_return held_;
}

Capabilities HttpBackend::capabilities() const {
    const bool embeds = *options_.dialect->embeddings, writes = *options_.dialect->chat;
    if (!writes) return {.embeddings = embeds, .context = options_.context, .writes = false};
    return {true, true, embeds, options_.context, false, options_.continues.value_or(options_.dialect->continues)};
}

// Without its key an upstream is of no use, as when it is down; the next of the chain may be.
net::Task<base::Result<UpstreamKey::Held>> HttpBackend::key() const {
    auto opened = co_await options_.key.get();
    if (opened) co_return opened;
    co_return base::error(Code::unavailable, fmt::format("upstream '{}': {}", options_.id, opened.error().text()));
}

base::Error HttpBackend::refused(net::HttpResponse response, const UpstreamKey::Held& key) {
    // Some name the key that they refuse.
    for (std::size_t at = key ? response.body.find(key->reveal()) : response.body.npos; at != response.body.npos; at = response.body.find(key->reveal(), at))
        response.body.replace(at, key->size(), base::kRedactedSecret);
    const base::SystemClock clock;
    const Refusal refusal = read_refusal(response, clock.steady(), clock.now());
    if (refusal.not_before) not_before_ = *refusal.not_before;
    const std::string what = fmt::format("upstream '{}' ({}) answered {}: {}", options_.id, options_.url, response.status, refusal.said);
    const auto told = [&](const std::string& remedy) { return base::error(code_of(refusal.kind), what, remedy); };
    switch (refusal.kind) {
        case RefusalKind::billing: return told("see to its account: it takes no calls for want of money");
        case RefusalKind::rate_limit:
        case RefusalKind::overloaded: {
            const std::string after = response.header("retry-after");
            return told(after.empty() ? "" : "it asks to wait " + after + " s");
        }
        case RefusalKind::key: return told(fmt::format("put a valid key into the secret that {0}.key names, or into the file of {0}.key_file", options_.section));
        case RefusalKind::missing: return told(fmt::format("check {0}.url (like {1}) and {0}.model", options_.section, options_.dialect->url_hint));
        case RefusalKind::elsewhere: return told(fmt::format("set {}.url to {}", options_.section, response.header("location")));
        case RefusalKind::context: return told("shorten the prompt");
        case RefusalKind::request: break;
    }
    return told("");
}

net::HttpRequest HttpBackend::request_to(const char* route, const UpstreamKey::Held& key) const {
    net::HttpRequest http;
    http.url = options_.url + route;
    http.headers = options_.dialect->headers();
    if (key) http.secret_headers.push_back({options_.dialect->key.name, options_.dialect->key.prefix, key});
    http.connect_timeout = options_.connect_timeout;
    return http;
}

net::HttpRequest HttpBackend::posting(const char* route, std::string body, const base::StopToken& stop, const UpstreamKey::Held& key) const {
    net::HttpRequest http = request_to(route, key);
    http.method = "POST";
    http.headers.emplace_back("Content-Type", "application/json");
    http.body = std::move(body);
    http.stop = stop;
    http.silence_timeout = options_.silence_timeout;
    http.total_timeout = options_.answer_timeout;
    return http;
}

net::Task<base::Result<void>> HttpBackend::look() {
    const auto key = co_await this->key();
    if (!key) co_return key.error();
    net::HttpRequest http = request_to(options_.dialect->look, *key);
    http.total_timeout = std::chrono::seconds(10);
    const auto response = co_await client_.fetch(std::move(http));
    // A list beyond all measure is an answer too.
    if (!response && response.error().code != Code::resource_exhausted) co_return base::error(Code::unavailable, response.error().message);
    if (response && (response->status == 401 || response->status == 403)) co_return refused(*response, *key);
    co_return base::Result<void>();
}

std::optional<base::Error> HttpBackend::outcome(const base::Result<net::HttpResponse>& response, ReplyReader& reader, const UpstreamKey::Held& key) {
    if (!response && reader.finished()) return std::nullopt;
    if (!response) return response.error();
    if (response->status != 200) return refused(*response, key);
    if (auto ended = reader.end(); !ended) return named(options_, ended.error());
    if (!reader.started())
        return base::error(Code::corrupt, fmt::format("upstream '{}' ({}) answered without a chat completion", options_.id, options_.url));
    if (!reader.finished()) return base::error(Code::unavailable, fmt::format("upstream '{}' ended its answer before the end", options_.id));
    return std::nullopt;
}

net::Task<base::Result<ModelReply>> HttpBackend::generate(ModelRequest request, DeltaSink sink) {
    if (!*options_.dialect->chat)
        co_return base::error(Code::unsupported, fmt::format("'{}' is an embedding model: it makes vectors of texts and does not chat", request.alias), "name a chat model, or use POST /v1/embeddings");
    if (auto fine = only_text(request, *options_.dialect); !fine) co_return std::move(fine).error();
    if (auto fine = only_schemas(request, *options_.dialect); !fine) co_return std::move(fine).error();
    const DialectModel model{options_.model, options_.context, capabilities().continues};
    const auto body = options_.dialect->body(request, model);
    if (!body) co_return body.error();
    const auto key = co_await this->key();
    if (!key) co_return key.error();
    net::HttpRequest http = posting(options_.dialect->chat, body->dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace), request.stop, *key);
    const auto reader = options_.dialect->reader(request, sink);
    using Time = std::chrono::steady_clock;
    const auto began = Time::now();
    std::optional<Time::time_point> first;
    net::BodySink on_body = [&](std::string_view bytes) {
        if (!first) first = Time::now();
        if (auto taken = reader->feed(bytes); !taken) throw BadStream{std::move(taken).error()};
    };
    std::optional<base::Error> failure;
    try {
        const auto response = co_await client_.fetch(std::move(http), on_body);
        failure = outcome(response, *reader, *key);
    } catch (BadStream& bad) {
        failure = named(options_, std::move(bad.error));
    }
    // A stopped answer is a reply, as with the embedded engine: what came so far.
    const base::StopReason stopped = failure ? request.stop.reason() : base::StopReason::none;
    if (failure && stopped == base::StopReason::none) {
        if (failure->code == Code::deadline) failure->code = Code::unavailable;  // its slowness, not the caller's limit
        if (failure->code == Code::resource_exhausted) failure->code = Code::corrupt;  // an answer beyond all measure
        if (failure->code == Code::corrupt)
            failure->remedy = fmt::format("check that {}.url names a server of the dialect {}, like {}", options_.section, options_.dialect->name, options_.dialect->url_hint);
        co_return *failure;
    }
    ModelReply reply = std::move(*reader).reply();
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
    if (!*options_.dialect->embeddings)
        co_return base::error(Code::unsupported, fmt::format("'{}' is a chat model: it makes no vectors", request.alias), "name the embedding model that embedding.path or upstream.embedding_model serves");
    const auto key = co_await this->key();
    if (!key) co_return key.error();
    net::HttpRequest http = posting(options_.dialect->embeddings, base::dump(embedding_body(request, options_.model)), request.stop, *key);
    http.max_body_bytes = kMostVectorBytes;
    const auto began = std::chrono::steady_clock::now();
    const auto response = co_await client_.fetch(std::move(http));
    if (!response) {
        base::Error failure = response.error();
        if (request.stop.stopped()) co_return request.stop.error("the embedding");
        if (failure.code == Code::deadline) failure.code = Code::unavailable;  // its slowness, not the caller's limit
        co_return failure;
    }
    if (response->status != 200) co_return refused(*response, *key);
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
