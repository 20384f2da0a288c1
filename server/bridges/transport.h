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

// How long fetching a file of at most so many bytes may take.
inline std::chrono::milliseconds time_for(std::size_t bytes) { return std::chrono::seconds(5 + (bytes >> 20)); }

class Transport {
public:
    virtual ~Transport() = default;
    virtual const std::string& name() const = 0;  // "telegram": of its rows, settings and routes
    virtual base::Result<Arrival> read(std::string_view body) const = 0;
    // Whether read() can tell what is said to us among others; where not, it can once this has succeeded. "" or why it did not.
    virtual bool knows_itself() const { return true; }
    virtual net::Task<std::string> learn_itself() { co_return std::string(); }
    // The bytes of a file that came with a message. Error: why there are none; {resource_exhausted} of one that is larger, {unavailable} of what
    // another attempt may bring.
    virtual net::Task<base::Result<std::string>> fetch(std::string, std::size_t) { co_return base::error(base::Code::unsupported, "files are not handed out there"); }
    // It is kept here: nobody asks for it again.
    virtual net::Task<void> let_go(std::string) { co_return; }
    // A text as it is sent: in order, none longer than the channel takes, none blank.
    virtual std::vector<std::string> pieces(std::string_view text) const = 0;
    // The same of an answer, which is Markdown as far as the channel shows that.
    virtual std::vector<std::string> answer_pieces(std::string_view text) const { return pieces(text); }

    // Whether the owner is told there of each start of a server: where a message costs nothing.
    virtual bool tells_starts() const { return false; }
    // Whether people are offered what they can press, or type: else nobody can be asked there.
    virtual bool offers_choices() const { return false; }
    // As pieces(), for a text with choices under its last part.
    virtual std::vector<std::string> pieces_with_choices(std::string_view text) const { return pieces(text); }

private:
    // What leaves: of the outbox's one sender alone, so that nothing goes by it.
    friend class Outbound;
    // One attempt.
    virtual net::Task<store::Sending> send(store::Outgoing letter) = 0;
    // Shows for a few seconds that something is under way for what was said in `update`; what fails of it is no matter.
    virtual net::Task<void> show_activity(std::string chat, std::string update) = 0;
    // Shows how far an answer is, to whoever reads there alone; what is shown under the same number takes its place, and all of it goes by itself.
    virtual net::Task<void> show_draft(std::string, std::int64_t, std::string) { co_return; }
    // That a choice was heard, where the channel shows that; says nothing of what came of it.
    virtual net::Task<void> acknowledge(std::string) { co_return; }
};

}  // namespace server::bridges
