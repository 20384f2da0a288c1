// What a model makes of what was said and of documents, some segments or sections at a time: off the path of every request. Where no model answers nothing is lost and
// nothing waits; it is read another time. What is made of one reply is one transaction, so that whoever is killed leaves no half of it, and what was
// made and not kept is made again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/service.h"
#include "store/segments.h"

namespace agents {

// What is read at once.
struct Portion {
    base::Uuid of{};            // the conversation, or document
    base::ConversationId conversation{};
    std::string text{};         // as the model reads it; empty: nothing is left
    int parts = 0;              // segments, or sections
    // Keeps what the reply says of it. Error{corrupt}: it says nothing of use; false: another process was faster.
    std::function<base::Result<bool>(store::Tx&, const std::string& reply, const std::string& model)> keep{};
};
struct Digest {
    std::string phase, prompt;  // by the alias of that phase, else of the answers
    base::OrderedJson schema;   // of the reply
    int reply_tokens = 0;
    std::function<Portion(store::Tx&, const std::vector<base::Uuid>& passed_over)> next;
};
using KeepOfSegments = std::function<base::Result<bool>(store::Tx&, const std::vector<store::Segment>&, const std::string& reply, const std::string& model)>;
// The next segments of a conversation.
Portion next_segments(store::Tx& tx, store::Reading reading, const std::vector<base::Uuid>& passed_over, const KeepOfSegments& keep);

struct Digested {
    int replies = 0, parts = 0;     // kept, and of how many
    bool done = false;              // there are none left
    base::Error trouble{};          // why it ended before, or passed some over; message empty: it did not
};

// The person's, until there are none left or `stop`, which carries the deadline; gives way to whoever else calls a model.
net::Task<Digested> digest(const Parts& parts, const Options& options, store::Identity who, const Digest& digest, base::StopToken stop);

}  // namespace agents
