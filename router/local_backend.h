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
#include "engine/available_memory.h"
#include "engine/engine.h"
#include "engine/host.h"
#include "engine/load_times.h"
#include "router/backend.h"
#include "router/load_note.h"
#include "text/grammar_cache.h"
#include "text/sampled_turns.h"

namespace router {

// What all embedded models share: memory, and CPU threads, which are joined before the callers' executor ends.
struct LocalPools {
    engine::Host host;
    std::filesystem::path load_notes{};  // folder of them (load_note.h); empty: none are written
    net::asio::thread_pool embedding{1};  // texts are embedded one request after another
    net::asio::thread_pool prompts{2};    // prompts are rendered and tokenized, grammars compiled
    void join() { embedding.join(), prompts.join(); }
};

class LocalBackend final : public Backend {
public:
    enum class At { start, request };  // when it is loaded; request: by load()

    // Loads on a CPU thread of its own; until then status() tells how far it is.
    LocalBackend(std::string id, engine::LoadOptions options, LocalPools& pools, base::Log& log, At at = At::start);
    ~LocalBackend() override;

    const std::string& id() const override { return id_; }
    BackendStatus status() const override;
    Capabilities capabilities() const override;
    bool is_local() const override { return true; }
    base::Result<void> load() override;
    base::Result<void> unload() override;
    void forget(const std::string& audience) override;
    net::Task<base::Result<void>> look() override;
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) override;
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) override;
    net::Task<base::Result<int>> count(ModelRequest request) override;

private:
    struct Prompt;
    void read(engine::Host::Turn turn);
    void ready(std::shared_ptr<engine::Engine> engine, const engine::LoadTimes& times);
    void drain();
    base::Result<void> begin(BackendStatus::State state, std::function<void()> work);  // under mutex_
    void settle(BackendStatus::State state, std::string detail);
    void know_controls(const text::Tokenizer& tokenizer);
    std::shared_ptr<engine::Engine> engine() const;
    base::Result<Prompt> prepare(engine::Engine& engine, const ModelRequest& request) const;  // takes milliseconds where a prompt is long or a grammar new
    net::Task<base::Result<Prompt>> prepared(engine::Engine& engine, const ModelRequest& request) const;

    base::Error not_loaded() const;
    std::string how_to_load() const { return "hearth model load " + id_ + " loads it"; }

    const std::string id_;
    engine::LoadOptions options_;
    LocalPools& pools_;
    base::Log& log_;
    mutable std::mutex mutex_;   // of status_, engine_ and worker_
    BackendStatus status_;
    std::shared_ptr<engine::Engine> engine_;  // whoever works with it holds it: it ends with the last of them
    std::weak_ptr<engine::Engine> leaving_;   // drains
    std::mutex parting_;         // while an engine ends, which writes what conversations it has still to keep; before mutex_
    std::atomic<bool> closing_ = false;
    std::string dialect_ = "none";
    std::optional<text::Guard> guard_;         // of the vocabulary's control tokens
    std::vector<std::string> turn_ends_;       // texts of the tokens that end generation
    std::vector<std::string> markup_texts_;    // see text::markup_of
    std::vector<text::TokenId> markup_;        // control tokens that the dialect's parser reads
    mutable std::optional<text::SampledTurns> sampled_;
    mutable text::GrammarCache grammars_;
    std::thread worker_;  // loads or drains
};

}  // namespace router
