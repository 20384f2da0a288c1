// What serves a model: embedded engine, HTTP upstream, or a script (tests).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/probe.h"
#include "base/result.h"
#include "net/task.h"
#include "router/embedding.h"
#include "router/types.h"

namespace router {

struct BackendStatus {
    enum class State { loading, ready, draining, unloaded, down } state = State::down;  // draining: ends what it has begun
    std::string stage;             // while loading: "weights"
    double fraction = 0;           // of the stage, 0..1
    std::string detail;            // why down; memory plan when ready
    base::Json facts = base::Json::object();  // model, profile, targets, cache, queue
};

std::string_view name(BackendStatus::State state);
bool was_unloaded(BackendStatus::State state);  // by somebody's word: it has, or will have when its requests have ended
// Why a backend cannot take a request now; empty when it can.
std::string not_ready(const BackendStatus& status);

struct Capabilities {
    bool tools = false, schemas = false, embeddings = false;
    int context = 0;
    bool grammars = false;  // holds a reply to ModelRequest::answer_rules
    bool continues = false;  // writes on from ModelRequest::begun
    bool writes = true;      // texts; false: makes vectors alone
};

// Of a million tokens, in whatever currency the operator counts. What runs here costs nothing.
struct Prices {
    double input = 0, cached_input = 0, output = 0;
    double of(const Usage& usage) const {
        return (input * (usage.prompt_tokens - usage.cached_tokens) + cached_input * usage.cached_tokens + output * usage.output_tokens) / 1e6;
    }
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual const std::string& id() const = 0;
    virtual BackendStatus status() const = 0;
    virtual Capabilities capabilities() const = 0;
    // Whether it runs in this process: nothing but the process itself can take it away.
    virtual bool is_local() const = 0;
    virtual Prices prices() const { return {}; }
    // Of an embedded model: begins to load it; begins to unload it, which ends with its last request. Error{conflict}: it is not in
    // the state for that. Error{not_found}: the backend is none.
    virtual base::Result<void> load();
    virtual base::Result<void> unload();
    // Erases what it keeps beyond a request of that audience (ModelRequest::cache_salt).
    virtual void forget(const std::string&) {}
    // Until when it asked to be left alone as it last refused; in the past when it did not.
    virtual base::SteadyPoint not_before() const { return {}; }
    // Whether it can be reached, asked in a way that calls no model.
    virtual net::Task<base::Result<void>> look() = 0;
    // With ModelRequest::begun, reply and deltas hold what follows it; Error{unsupported}: it cannot go on from there.
    virtual net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) = 0;
    // One vector an input. Error{unsupported}: the model makes none, or not of that many dimensions.
    virtual net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) = 0;
    // Prompt tokens that the request would have.
    virtual net::Task<base::Result<int>> count(ModelRequest request) = 0;
};

}  // namespace router
