#include "server/bridges/webhooks.h"

#include <sodium.h>

#include "server/bridges/telegram.h"
#include "server/bridges/telegram_update.h"
#include "store/digest.h"

namespace server::bridges {

Webhook telegram_webhook(std::shared_ptr<const base::SecretValue> secret) {
    return {"/telegram", kTelegram, "x-telegram-bot-api-secret-token", std::move(secret), telegram_update_number};
}

// Of digests, which are all of one length.
bool same_secret(std::string_view sent, std::string_view secret) {
    const std::string one = store::sha256_hex(sent), other = store::sha256_hex(secret);
    return sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

const Webhook* Webhooks::find(const std::string& path) const {
    for (const Webhook& one : all_)
        if (one.path == path) return &one;
    return nullptr;
}

std::optional<Response> Webhooks::refusal(const Request& request) const {
    const Webhook* const hook = find(request.path);
    if (!hook) return error_response(404, "there is nothing at " + request.path, "not_found");
    if (request.method != "POST") {
        Response response = error_response(405, request.path + " takes POST, not " + request.method, "method_not_allowed");
        response.headers["Allow"] = "POST";
        return response;
    }
    if (!same_secret(request.header(hook->header), hook->secret->reveal())) return error_response(403, "the secret is missing or wrong", "forbidden");
    return std::nullopt;
}

net::Task<std::optional<Response>> Webhooks::judge(Request request) { co_return refusal(request); }

Gate Webhooks::gate() {
    return [this](Request request) { return judge(std::move(request)); };
}

Handler Webhooks::handler() {
    return [this](Request request) { return take_in(std::move(request)); };
}

net::Task<Response> Webhooks::take_in(Request request) {
    if (auto refused = refusal(request)) co_return *std::move(refused);
    const Webhook& hook = *find(request.path);
    auto number = hook.number(request.body);
    if (!number) co_return error_response(400, number.error().text(), "invalid_request");
    std::vector<store::Arrived> arrived;
    arrived.push_back({hook.bridge, *std::move(number), std::move(request.body)});
    std::string failed;
    try {
        co_await intake_.keep(std::move(arrived));
    } catch (const std::exception& e) {
        failed = e.what();
    }
    if (failed.empty()) co_return json_response(base::Json::object());
    log_.warn("what a channel delivers cannot be kept; it delivers it again", {{"bridge", hook.bridge}, {"reason", failed}});
    Response later = error_response(503, "it cannot be kept just now", "unavailable");
    later.headers["Retry-After"] = "5";
    co_return later;
}

}  // namespace server::bridges
