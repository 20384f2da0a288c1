// HTTP requests to upstreams: one CPU thread runs every transfer with libcurl's multi interface.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_value.h"
#include "base/stop.h"
#include "net/task.h"

namespace net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A header whose value is secret: "Authorization", "Bearer ", the token. Wiped when the transfer has ended.
struct SecretHeader {
    std::string name, prefix;
    std::shared_ptr<const base::SecretValue> value;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;  // http or https; redirects are answers, never followed
    std::shared_ptr<const base::SecretValue> url_secret;  // what "{secret}" in the URL stands for; no error tells it
    HttpHeaders headers;
    std::vector<SecretHeader> secret_headers;
    std::string body;
    base::StopToken stop;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::seconds silence_timeout{0};          // without a byte of the answer; 0: none
    std::chrono::milliseconds total_timeout{0};       // 0: only the stop token's deadline bounds it
    std::size_t max_body_bytes = std::size_t(32) << 20;
    // Set when the transfer ends: whether any of the request may have left this machine. It then leaves once, on a connection of its
    // own: what an old one swallows libcurl would send again on another, unasked.
    std::shared_ptr<bool> left{};
};

// The host that a request to the URL goes to, in lower case and without port; "" for what is no URL.
std::string host_of(const std::string& url);

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;  // names in lower case
    std::string body;     // what was not handed to a sink

    // The first header of that lower-case name, or "".
    std::string header(std::string_view name) const;
};

// Gets the body of a 2xx answer piece by piece, in order, on the caller's executor.
using BodySink = std::function<void(std::string_view)>;

class HttpClient {
public:
    HttpClient();
    ~HttpClient();  // running transfers end as unavailable
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // Any status is a value. Errors: {unavailable} no connection, or it broke; {deadline}; {cancelled};
    // {resource_exhausted} a body beyond the cap; {invalid_argument} an unusable URL. A slow sink
    // pauses its own transfer alone. An exception of the sink ends the transfer and passes through.
    Task<base::Result<HttpResponse>> fetch(HttpRequest request, BodySink sink = {});

private:
    class Loop;
    std::shared_ptr<Loop> loop_;  // running fetches hold it too
};

}  // namespace net
