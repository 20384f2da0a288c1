#include "net/otlp.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "net/http_client.h"

namespace net {
namespace {

using base::Json;
using namespace std::chrono_literals;

constexpr std::size_t kBatch = 256;
constexpr int kAttempts = 3;
constexpr auto kFirstPause = 500ms;
constexpr auto kAnswerTime = 5s;
constexpr auto kLastTime = 2s;

// "attributes" as OTLP has them: integers are texts there.
class Attributes {
public:
    void add(const char* key, const Json& value) {
        if (value.is_null()) return;
        all_.push_back({{"key", key}, {"value", any(value)}});
    }
    Json take() { return std::move(all_); }

private:
    static Json any(const Json& value) {
        if (value.is_boolean()) return {{"boolValue", value}};
        if (value.is_number_integer()) return {{"intValue", base::dump(value)}};
        if (value.is_number()) return {{"doubleValue", value}};
        if (value.is_string()) return {{"stringValue", value}};
        if (!value.is_array()) return {{"stringValue", base::dump(value)}};
        Json items = Json::array();
        for (const auto& item : value) items.push_back(any(item));
        return {{"arrayValue", {{"values", std::move(items)}}}};
    }
    Json all_ = Json::array();
};

Json member(const Json& object, const char* name) { return object.is_object() ? object.value(name, Json()) : Json(); }
std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

std::string hex_of(const base::Uuid& id, std::size_t from) {
    std::string text = id.text();
    std::erase(text, '-');
    return text.substr(2 * from);
}

void add_usage(Attributes& to, const Json& usage) {
    to.add("gen_ai.usage.input_tokens", member(usage, "prompt_tokens"));
    to.add("gen_ai.usage.output_tokens", member(usage, "output_tokens"));
    to.add("gen_ai.usage.cache_read.input_tokens", member(usage, "cached_tokens"));
    to.add("hearth.usage.forced_tokens", member(usage, "forced_tokens"));
}

// A span's name there, and its kind (1: internal, 3: client).
struct Named {
    std::string name;
    int kind = 1;
};

Named name_model(const base::Span& s, Attributes& to, bool content) {
    const Json model = member(s.attributes, "model"), alias = member(s.attributes, "alias");
    to.add("gen_ai.operation.name", "chat");
    to.add("gen_ai.provider.name", "hearth");
    to.add("gen_ai.request.model", alias);
    to.add("gen_ai.response.model", model);
    if (const Json finish = member(s.attributes, "finish"); finish.is_string()) to.add("gen_ai.response.finish_reasons", Json::array({finish}));
    add_usage(to, member(s.attributes, "usage"));
    to.add("hearth.purpose", s.name);
    to.add("hearth.backend", member(s.attributes, "backend"));
    to.add("hearth.profile", member(s.attributes, "profile"));
    if (content) {
        to.add("gen_ai.input.messages", base::dump(member(s.body, "sent")));
        to.add("gen_ai.output.messages", base::dump(Json::array({member(s.body, "reply")})));
    }
    return {"chat " + text_of(alias), 3};
}

Named name_tool(const base::Span& s, Attributes& to, bool content) {
    to.add("gen_ai.operation.name", "execute_tool");
    to.add("gen_ai.tool.name", s.name);
    to.add("gen_ai.tool.call.id", member(s.attributes, "call"));
    to.add("hearth.state", member(s.attributes, "state"));
    to.add("hearth.rule", member(s.attributes, "rule"));
    to.add("hearth.effect", member(s.attributes, "effect"));
    if (content) {
        to.add("gen_ai.tool.call.arguments", base::dump(member(s.body, "arguments")));
        to.add("gen_ai.tool.call.result", member(s.body, "result"));
    }
    return {"execute_tool " + s.name};
}

Named name_run(const base::Span& s, Attributes& to, bool content) {
    to.add("gen_ai.operation.name", "invoke_agent");
    to.add("gen_ai.provider.name", "hearth");
    to.add("gen_ai.agent.name", s.name);
    to.add("gen_ai.response.model", member(s.attributes, "model"));
    add_usage(to, member(s.attributes, "usage"));
    to.add("hearth.final_state", member(s.attributes, "final_state"));
    if (content) {
        to.add("gen_ai.input.messages", base::dump(member(s.body, "request")));
        to.add("gen_ai.output.messages", base::dump(member(s.body, "answer")));
    }
    return {"invoke_agent " + s.name};
}

Named name_other(const base::Span& s, Attributes& to, bool) {
    to.add("hearth.kind", s.kind);
    to.add("hearth.state", member(s.attributes, "state"));
    to.add("hearth.rule", member(s.attributes, "rule"));
    to.add("hearth.class", member(s.attributes, "class"));
    return {s.kind + " " + s.name};
}

// One row a kind of span.
Named named(const base::Span& s, Attributes& to, bool content) {
    static const std::pair<const char*, Named (*)(const base::Span&, Attributes&, bool)> rows[] = {{"model", name_model}, {"tool", name_tool}, {"run", name_run}};
    for (const auto& [kind, row] : rows)
        if (s.kind == kind) return row(s, to, content);
    return name_other(s, to, content);
}

Json span_body(const base::Span& s, bool content) {
    Attributes attributes;
    const Named name = named(s, attributes, content);
    // What an error says may hold what a tool or a person said.
    if (!s.error.empty()) attributes.add("error.type", member(s.attributes, "state").is_string() ? member(s.attributes, "state") : Json("error"));
    const auto nanoseconds = [](base::TimePoint t) { return std::to_string(std::chrono::nanoseconds(t.time_since_epoch()).count()); };
    Json out = {{"traceId", hex_of(s.run.value, 0)}, {"spanId", hex_of(s.id.value, 8)}, {"name", name.name}, {"kind", name.kind},
                {"startTimeUnixNano", nanoseconds(s.started)}, {"endTimeUnixNano", nanoseconds(s.started + s.duration)}, {"attributes", attributes.take()}};
    if (!s.parent.is_nil()) out["parentSpanId"] = hex_of(s.parent.value, 8);
    out["status"] = Json::object();
    if (!s.error.empty()) out["status"]["code"] = 2;
    if (!s.error.empty() && content) out["status"]["message"] = s.error;
    return out;
}

std::string traces_url(const std::string& endpoint) {
    const std::string path = "/v1/traces", trimmed = endpoint.substr(0, endpoint.find_last_not_of('/') + 1);
    return trimmed.ends_with(path) ? trimmed : trimmed + path;
}

}  // namespace

base::Json otlp_body(const std::vector<base::Span>& spans, const OtlpOptions& options) {
    Attributes resource;
    resource.add("service.name", "hearth");
    resource.add("service.version", options.version);
    Json all = Json::array();
    for (const auto& span : spans) all.push_back(span_body(span, options.content));
    Json scope = {{"scope", {{"name", "hearth"}, {"version", options.version}}}, {"spans", std::move(all)}};
    Json one = {{"resource", {{"attributes", resource.take()}}}};
    one["scopeSpans"] = Json::array({std::move(scope)});
    Json out;
    out["resourceSpans"] = Json::array({std::move(one)});
    return out;
}

struct OtlpExporter::Queue {
    Queue(OtlpOptions o, base::Log& l) : options(std::move(o)), log(l), sender([this] { work(); }) {}
    ~Queue() {
        {
            const std::lock_guard lock(mutex);
            ending = true;
            last = std::chrono::steady_clock::now() + kLastTime;
        }
        changed.notify_all();
        stop_late();
        sender.join();
    }

    // The transfer under way gets what is left of the last two seconds.
    void stop_late() {
        std::unique_lock lock(mutex);
        if (!changed.wait_until(lock, last, [&] { return finished; })) stop.request_stop();
    }

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [&] { return ending || !entries.empty(); });
            if (entries.empty() || stop.token().stopped()) break;
            std::vector<base::Span> batch;
            while (!entries.empty() && batch.size() < kBatch) {
                batch.push_back(std::move(entries.front()));
                entries.pop_front();
            }
            lock.unlock();
            const bool taken = deliver(batch);
            lock.lock();
            (taken ? exported : dropped) += batch.size();
        }
        dropped += entries.size();
        finished = true;
        lock.unlock();
        changed.notify_all();
    }

    bool deliver(const std::vector<base::Span>& batch) {
        const std::string body = base::dump(otlp_body(batch, options));
        for (int attempt = 1;; ++attempt) {
            const std::string refusal = post(body);
            if (refusal.empty()) return tell(""), true;
            tell(refusal);
            std::unique_lock lock(mutex);
            if (attempt == kAttempts || changed.wait_for(lock, kFirstPause * (1 << (attempt - 1)), [&] { return ending; })) return false;
        }
    }

    // Empty, or why it was not taken.
    std::string post(const std::string& body) {
        std::string refusal = "broke off";
        boost::asio::io_context io;
        const auto task = [&]() -> Task<void> {
            HttpRequest request;
            request.method = "POST";
            request.url = traces_url(options.endpoint);
            request.headers = {{"Content-Type", "application/json"}};
            request.body = body;
            request.total_timeout = kAnswerTime;
            request.stop = stop.token();
            const auto response = co_await client.fetch(std::move(request));
            refusal = !response ? response.error().message : response->status / 100 == 2 ? "" : "HTTP " + std::to_string(response->status);
        };
        net::spawn(io.get_executor(), task(), {});
        io.run();
        return refusal;
    }

    void tell(const std::string& refusal) {
        if (refusal.empty() == !failing) return;
        failing = !refusal.empty();
        if (failing) log.warn("spans are not exported", {{"endpoint", options.endpoint}, {"reason", refusal}});
        else log.info("spans are exported again", {{"endpoint", options.endpoint}});
    }

    const OtlpOptions options;
    base::Log& log;
    HttpClient client;
    base::StopSource stop;
    bool failing = false;  // of the sender
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<base::Span> entries;
    std::uint64_t exported = 0, dropped = 0;
    bool ending = false, finished = false;
    std::chrono::steady_clock::time_point last{};
    std::thread sender;  // last: it uses the others
};

OtlpExporter::OtlpExporter(OtlpOptions options, base::Log& log) : queue_(std::make_unique<Queue>(std::move(options), log)) {}
OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::emit(base::Span span) {
    {
        const std::lock_guard lock(queue_->mutex);
        if (queue_->entries.size() >= queue_->options.capacity) {
            ++queue_->dropped;
            return;
        }
        queue_->entries.push_back(std::move(span));
    }
    queue_->changed.notify_all();
}

std::uint64_t OtlpExporter::exported() const {
    const std::lock_guard lock(queue_->mutex);
    return queue_->exported;
}

std::uint64_t OtlpExporter::dropped() const {
    const std::lock_guard lock(queue_->mutex);
    return queue_->dropped;
}

}  // namespace net
