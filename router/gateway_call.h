// A call on its way through the gateway: for router/gateway*.cpp alone.
#pragma once

#include "router/gateway.h"

namespace router {

// A call that was stopped says nothing: the backend may not have answered at all.
inline bool is_answer(const ModelReply& reply) { return reply.finish != FinishReason::cancelled && reply.finish != FinishReason::deadline; }
inline bool is_answer(const EmbeddingReply&) { return true; }

// What the listener has of the answer.
struct Gateway::Delivered {
    // Only who asks for a bare model gets parts of calls: an agent makes the whole ones itself.
    explicit Delivered(const OnBehalf& who) : hears_calls(who.agent.empty()) {}

    const bool hears_calls;
    std::string content, reasoning;
    bool calls = false;

    void take(const ModelDelta& delta) {
        if (delta.kind == ModelDelta::Kind::content) content += delta.text;
        else if (delta.kind == ModelDelta::Kind::reasoning) reasoning += delta.text;
        else calls |= hears_calls;
    }
    // Thoughts alone bind nobody: the next backend may have its own.
    bool begun() const { return calls || !content.empty(); }
    std::size_t bytes() const { return content.size() + reasoning.size(); }
};

template <class Request>
struct Gateway::Call {
    std::shared_ptr<const Table> table;
    const Alias* row;  // of the table
    Request request;
    DeltaSink sink;
};

}  // namespace router
