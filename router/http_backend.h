// A model behind an HTTP server, in one of the dialects that dialect.h lists; always streamed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "router/backend.h"
#include "router/dialect.h"

namespace router {

// The API key of an upstream: none, one that is held, or one that is opened for each call and wiped after it.
class UpstreamKey {
public:
    using Held = std::shared_ptr<const base::SecretValue>;
    using Open = std::function<net::Task<base::Result<Held>>()>;
    UpstreamKey() = default;
    UpstreamKey(std::string value) {
        if (!value.empty()) held_ = std::make_shared<const base::SecretValue>(base::SecretValue::take(value));
    }
    UpstreamKey(const char* value) : UpstreamKey(std::string(value)) {}
    UpstreamKey(Open open) : open_(std::move(open)) {}

    // Null where there is none.
    net::Task<base::Result<Held>> get() const;

private:
    Held held_;
    Open open_;
};

struct HttpBackendOptions {
    std::string id;
    std::string url;    // in front of the dialect's routes: see Dialect::url_hint
    std::string model;  // its name there
    UpstreamKey key = {};
    const Dialect* dialect = &kOpenai;
    int context = 0;                // tokens, as far as known; 0: unknown
    Prices prices = {};
    std::optional<bool> continues = {};  // whether an answer that has begun is written on from; unset: as the dialect says
    std::string section = "upstream";    // of the settings, for remedies
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::seconds silence_timeout{120};       // without a byte
    std::chrono::milliseconds answer_timeout{600000};  // of a whole answer
};

class HttpBackend final : public Backend {
public:
    using Options = HttpBackendOptions;
    HttpBackend(Options options, net::HttpClient& client);  // the client outlives it

    const std::string& id() const override { return options_.id; }
    // Always ready, as only a call can tell.
    BackendStatus status() const override;
    Capabilities capabilities() const override;
    bool is_local() const override { return false; }
    Prices prices() const override { return options_.prices; }
    base::SteadyPoint not_before() const override { return not_before_.load(); }
    // By a route of the dialect that lists models. {unavailable}: no connection; {permission_denied}: the key was refused. Whatever
    // else it answers, it is there.
    net::Task<base::Result<void>> look() override;
    // {unavailable}: no connection, no money left there, 429, 5xx, silence, a stream that broke. {permission_denied}: the key was
    // refused. {not_found}: the address or the model is not there, or elsewhere. {corrupt}: the answer is none of
    // the dialect. {unsupported}: the dialect cannot ask for this. {context_length_exceeded}: the upstream says so. {invalid_argument}: another refusal.
    // A stop gives what came so far, with finish cancelled or deadline.
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) override;
    // {corrupt}: the answer is not one vector an input, all of one length. Other errors as with generate; a stop is one too.
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) override;
    // {unsupported}: the dialect has no way to ask.
    net::Task<base::Result<int>> count(ModelRequest request) override;

private:
    net::HttpRequest request_to(const char* route, const UpstreamKey::Held& key) const;
    net::HttpRequest posting(const char* route, std::string body, const base::StopToken& stop, const UpstreamKey::Held& key) const;
    net::Task<base::Result<UpstreamKey::Held>> key() const;
    base::Error refused(net::HttpResponse response, const UpstreamKey::Held& key);
    // Why there is no whole answer, if so.
    std::optional<base::Error> outcome(const base::Result<net::HttpResponse>& response, ReplyReader& reader, const UpstreamKey::Held& key);

    const Options options_;
    net::HttpClient& client_;
    std::atomic<base::SteadyPoint> not_before_{};
};

}  // namespace router
