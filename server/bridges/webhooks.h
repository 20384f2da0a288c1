// Where channels deliver by themselves: a listener of its own, which serves nothing else. Whoever does not know the secret is refused
// before his body is read; what was taken in is committed before that is said.
#pragma once

#include <vector>

#include "server/bridges/intake.h"
#include "server/bridges/webhook.h"

namespace server::bridges {

class Webhooks {
public:
    // All outlive it.
    Webhooks(std::vector<const Webhook*> all, Intake& intake, base::Log& log) : all_(std::move(all)), intake_(intake), log_(log) {}
    Handler handler();
    Gate gate();  // for every request, however small: HttpOptions::gates_all

private:
    std::optional<Response> refusal(const Request& request) const;
    const Webhook* find(const std::string& path) const;
    net::Task<std::optional<Response>> judge(Request request);
    net::Task<Response> answer(Request request);
    net::Task<Response> take_in(const Webhook& hook, std::string body);

    std::vector<const Webhook*> all_;
    Intake& intake_;
    base::Log& log_;
};

}  // namespace server::bridges
