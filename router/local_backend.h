// The embedded engine as a backend: messages become a prompt by the model's own template, output
// becomes content, reasoning and tool calls by its dialect, both bound by grammar where asked for.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/log.h"
#include "engine/engine.h"
#include "router/backend.h"
#include "text/grammar_cache.h"
#include "text/sampled_turns.h"

namespace router {

// CPU threads of all embedded models. Joined before the callers' executor ends.
struct LocalPools {
    net::asio::thread_pool embedding{1};  // texts are embedded one request after another
    net::asio::thread_pool prompts{2};    // prompts are rendered and tokenized, grammars compiled
    void join() { embedding.join(), prompts.join(); }
};

class LocalBackend final : public Backend {
public:
    // Loads on a CPU thread of its own; until then status() tells how far it is.
    LocalBackend(std::string id, engine::LoadOptions options, LocalPools& pools, base::Log& log);
    ~LocalBackend() override;

    const std::string& id() const override { return id_; }
    BackendStatus status() const override;
    Capabilities capabilities() const override;
    bool is_local() const override { return true; }
    void forget(const std::string& audience) override;
    net::Task<base::Result<void>> look() override;
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) override;
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) override;
    net::Task<base::Result<int>> count(ModelRequest request) override;

private:
    struct Prompt;
    void load(engine::LoadOptions options);
    void know_controls(const text::Tokenizer& tokenizer);
    engine::Engine* engine() const;
    base::Result<Prompt> prepare(const ModelRequest& request) const;  // takes milliseconds where a prompt is long or a grammar new
    net::Task<base::Result<Prompt>> prepared(const ModelRequest& request) const;

    base::Error not_loaded() const;

    const std::string id_;
    LocalPools& pools_;
    base::Log& log_;
    mutable std::mutex mutex_;   // of status_ and engine_
    BackendStatus status_;
    std::unique_ptr<engine::Engine> engine_;
    std::string dialect_ = "none";
    std::optional<text::Guard> guard_;         // of the vocabulary's control tokens
    std::vector<std::string> turn_ends_;       // texts of the tokens that end generation
    std::vector<std::string> markup_texts_;    // see text::markup_of
    std::vector<text::TokenId> markup_;        // control tokens that the dialect's parser reads
    mutable std::optional<text::SampledTurns> sampled_;
    mutable text::GrammarCache grammars_;
    std::thread loader_;
};

}  // namespace router
