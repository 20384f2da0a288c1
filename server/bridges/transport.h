// A channel that people write through, as the rest sees it: what it delivers is read, what is for it is sent. What becomes of a
// message is no matter of the transport's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/task.h"
#include "server/bridges/arrival.h"
#include "store/outbox.h"

namespace server::bridges {

class Transport {
public:
    virtual ~Transport() = default;
    virtual const std::string& name() const = 0;  // "telegram": of its rows, settings and routes
    virtual base::Result<Arrival> read(std::string_view body) const = 0;
    // A text as it is sent: in order, none longer than the channel takes, none blank.
    virtual std::vector<std::string> pieces(std::string_view text) const = 0;

    // Whether people are offered what they can press, or type: else nobody can be asked there.
    virtual bool offers_choices() const { return false; }
    // As pieces(), for a text with choices under its last part.
    virtual std::vector<std::string> pieces_with_choices(std::string_view text) const { return pieces(text); }

    // One attempt. Only server/bridges/outbound calls these three.
    virtual net::Task<store::Sending> send(store::Outgoing letter) = 0;
    // Shows for a few seconds that something is under way for what was said in `update`; what fails of it is no matter.
    virtual net::Task<void> show_activity(std::string chat, std::string update) = 0;
    // That a choice was heard, where the channel shows that; says nothing of what came of it.
    virtual net::Task<void> acknowledge(std::string) { co_return; }
};

}  // namespace server::bridges
