// How a channel delivers by itself: who may, and what is in a delivery.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http.h"
#include "store/arrivals.h"

namespace server::bridges {

class Webhook {
public:
    virtual ~Webhook() = default;
    virtual const std::string& bridge() const = 0;  // of its rows; its path is that with a slash
    // Whoever asks whether it is here; nothing: nobody does.
    virtual std::optional<Response> greet(const Request&) const { return std::nullopt; }
    // Whether the head is that of somebody who knows the secret, as far as a head shows it: before a body is read.
    virtual bool trusts_head(const Request& request) const = 0;
    // Whether all of it is; before anything of the body is looked at.
    virtual bool trusts(const Request& request) const = 0;
    // Error{invalid_argument}: it is no delivery of the channel's.
    virtual base::Result<std::vector<store::Arrived>> deliveries(std::string body) const = 0;
};

// In a time that tells nothing of where they differ.
bool same_secret(std::string_view sent, std::string_view secret);

}  // namespace server::bridges
