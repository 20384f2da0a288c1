#include "server/bridges/webhooks.h"

#include <sodium.h>

#include "store/digest.h"

namespace server::bridges {
namespace {

Response forbidden() { return error_response(403, "the secret is missing or wrong", "forbidden"); }

}  // namespace

// Of digests, which are all of one length.
bool same_secret(std::string_view sent, std::string_view secret) {
    const std::string one = store::sha256_hex(sent), other = store::sha256_hex(secret);
    return sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

const Webhook* Webhooks::find(const std::string& path) const {
    for (const Webhook* const one : all_)
        if (path == "/" + one->bridge()) return one;
    return nullptr;
}

std::optional<Response> Webhooks::refusal(const Request& request) const {
    const Webhook* const hook = find(request.path);
    if (!hook) return error_response(404, "there is nothing at " + request.path, "not_found");
    if (request.method == "GET" && hook->greet(request)) return std::nullopt;
    if (request.method != "POST") {
        Response response = error_response(405, request.path + " takes POST, not " + request.method, "method_not_allowed");
        response.headers["Allow"] = "POST";
        return response;
    }
    if (!hook->trusts_head(request)) return forbidden();
    return std::nullopt;
}

net::Task<std::optional<Response>> Webhooks::judge(Request request) { co_return refusal(request); }

Gate Webhooks::gate() {
    return [this](Request request) { return judge(std::move(request)); };
}

Handler Webhooks::handler() {
    return [this](Request request) { return answer(std::move(request)); };
}

net::Task<Response> Webhooks::answer(Request request) {
    if (auto refused = refusal(request)) co_return *std::move(refused);
    const Webhook& hook = *find(request.path);
    if (request.method == "GET") co_return *hook.greet(request);
    if (!hook.trusts(request)) co_return forbidden();
    co_return co_await take_in(hook, std::move(request.body));
}

net::Task<Response> Webhooks::take_in(const Webhook& hook, std::string body) {
    auto arrived = hook.deliveries(std::move(body));
    if (!arrived) co_return error_response(400, arrived.error().text(), "invalid_request");
    std::string failed;
    try {
        if (!arrived->empty()) co_await intake_.keep(*std::move(arrived));
    } catch (const std::exception& e) {
        failed = e.what();
    }
    if (failed.empty()) co_return json_response(base::Json::object());
    log_.warn("what a channel delivers cannot be kept; it delivers it again", {{"bridge", hook.bridge()}, {"reason", failed}});
    Response later = error_response(503, "it cannot be kept just now", "unavailable");
    later.headers["Retry-After"] = "5";
    co_return later;
}

}  // namespace server::bridges
