// The single way to any model: alias → chain of backends, fallback with reasons, usage.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "router/backend.h"

namespace router {

struct Alias {
    std::string name;
    std::vector<std::string> chain;  // backend ids, first choice first
};

// Of a backend, not of what it was asked: the next request would meet it too.
struct Failure {
    std::string message;
    base::SteadyPoint at;
};

class Gateway {
public:
    Gateway(std::vector<std::unique_ptr<Backend>> backends, std::vector<Alias> aliases, base::Log& log,
            base::Metrics& metrics);

    // Error{not_found} for an unknown alias, {unavailable} naming every backend's reason when none answers.
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink = {});
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request);
    net::Task<base::Result<int>> count(ModelRequest request);

    std::vector<Alias> aliases() const;
    bool has(const std::string& alias) const;
    // Whether some backend of the alias can take a request now; else Error{unavailable} with reasons.
    base::Result<void> ready(const std::string& alias) const;
    Capabilities capabilities(const std::string& alias) const;
    // Every backend's, by id.
    std::map<std::string, BackendStatus> status() const;
    // The backends that failed when last called, by id. They are called again all the same: nothing else can tell
    // whether they answer.
    std::map<std::string, Failure> failing() const;
    base::Probes probes() const;

private:
    // Calls the alias' backends one after another until one answers, or fails when it has `committed` itself.
    template <class Reply, class Call>
    net::Task<base::Result<Reply>> first_answer(std::string alias, std::string purpose, Call& call, const bool& committed);
    Backend* find(const std::string& id) const;
    void note_answer(const std::string& id);
    void note_failure(const std::string& id, const base::Error& error);

    std::vector<std::unique_ptr<Backend>> backends_;
    std::vector<Alias> aliases_;
    base::Log& log_;
    base::Metrics& metrics_;
    mutable std::mutex mutex_;
    std::map<std::string, Failure> failing_;
};

}  // namespace router
