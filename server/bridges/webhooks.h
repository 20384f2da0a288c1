// Where channels deliver by themselves: a listener of its own, which serves nothing else. Whoever does not know the secret is refused
// before his body is read; what was taken in is committed before that is said.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_value.h"
#include "server/bridges/intake.h"
#include "server/http.h"

namespace server::bridges {

struct Webhook {
    std::string path, bridge;  // "/telegram"
    std::string header;        // in lower case: holds the secret
    std::shared_ptr<const base::SecretValue> secret;
    base::Result<std::string> (*number)(std::string_view body);  // of what was delivered; see Arrival::update
};
Webhook telegram_webhook(std::shared_ptr<const base::SecretValue> secret);

// In a time that tells nothing of where they differ.
bool same_secret(std::string_view sent, std::string_view secret);

class Webhooks {
public:
    Webhooks(std::vector<Webhook> all, Intake& intake, base::Log& log) : all_(std::move(all)), intake_(intake), log_(log) {}
    Handler handler();
    Gate gate();  // for every request, however small: HttpOptions::gates_all

private:
    std::optional<Response> refusal(const Request& request) const;
    const Webhook* find(const std::string& path) const;
    net::Task<std::optional<Response>> judge(Request request);
    net::Task<Response> take_in(Request request);

    std::vector<Webhook> all_;
    Intake& intake_;
    base::Log& log_;
};

}  // namespace server::bridges
