// A model behind an OpenAI-compatible server: POST {url}/chat/completions, always streamed, and {url}/embeddings.
#pragma once

#include <chrono>
#include <string>

#include "net/http_client.h"
#include "router/backend.h"

namespace router {

struct HttpBackendOptions {
    std::string id;
    std::string url;    // with the version's path: "https://host/v1"
    std::string model;  // its name there
    std::string key;    // sent as a bearer token; empty: none
    int context = 0;    // tokens, as far as known; 0: unknown
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds answer_timeout{600000};  // of a whole answer
};

class HttpBackend final : public Backend {
public:
    using Options = HttpBackendOptions;
    HttpBackend(Options options, net::HttpClient& client);  // the client outlives it

    const std::string& id() const override { return options_.id; }
    // Always ready, as only a call can tell.
    BackendStatus status() const override;
    Capabilities capabilities() const override { return {true, true, true, options_.context, false}; }
    // {unavailable}: no connection, 429, 5xx, a stream that broke. {permission_denied}: the key was
    // refused. {not_found}: the address or the model is not there, or elsewhere. {corrupt}: the answer is no
    // chat completion. {context_length_exceeded}: the upstream says so. {invalid_argument}: another refusal.
    // A stop gives what came so far, with finish cancelled or deadline.
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) override;
    // {corrupt}: the answer is not one vector an input, all of one length. Other errors as with generate; a stop is one too.
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) override;
    // {unsupported}: the dialect has no way to ask.
    net::Task<base::Result<int>> count(ModelRequest request) override;

private:
    net::HttpRequest posting(const std::string& route, std::string body, const base::StopToken& stop) const;
    base::Error refused(const net::HttpResponse& response);

    const Options options_;
    net::HttpClient& client_;
};

}  // namespace router
