// What serves a model: embedded engine, HTTP upstream, or a script (tests).
#pragma once

#include <string>
#include <vector>

#include "base/probe.h"
#include "base/result.h"
#include "net/task.h"
#include "router/embedding.h"
#include "router/types.h"

namespace router {

struct BackendStatus {
    enum class State { loading, ready, down } state = State::down;
    std::string stage;             // while loading: "weights"
    double fraction = 0;           // of the stage, 0..1
    std::string detail;            // why down; memory plan when ready
    base::Json facts = base::Json::object();  // model, profile, targets, cache, queue
};

struct Capabilities {
    bool tools = false, schemas = false, embeddings = false;
    int context = 0;
    bool grammars = false;  // holds a reply to ModelRequest::answer_rules
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual const std::string& id() const = 0;
    virtual BackendStatus status() const = 0;
    virtual Capabilities capabilities() const = 0;
    // Error{unavailable} lets the gateway try the next of the chain, as long as no delta was sent.
    virtual net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) = 0;
    // One vector an input. Error{unsupported}: the model makes none, or not of that many dimensions.
    virtual net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) = 0;
    // Prompt tokens that the request would have.
    virtual net::Task<base::Result<int>> count(ModelRequest request) = 0;
};

}  // namespace router
