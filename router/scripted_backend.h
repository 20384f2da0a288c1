// A backend that answers from a script: for tests and for trying the product without a model. It
// records every request that it was sent.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "router/backend.h"

namespace router {

// One scripted answer: text, tool calls, or an error; then the next.
struct ScriptedReply {
    std::string text, reasoning;
    std::vector<ToolCall> tool_calls;
    std::optional<base::Error> error;          // after what is said, if anything
    std::chrono::milliseconds delay{0};        // before the first delta
    std::chrono::milliseconds delta_delay{0};  // between the text's words
    FinishReason finish = FinishReason::stop;  // stop with tool calls: tool_calls
};

// Chooses an answer by looking at the request; used when the list is empty.
using Script = std::function<ScriptedReply(const ModelRequest&)>;

class ScriptedBackend final : public Backend {
public:
    explicit ScriptedBackend(std::string id, std::vector<ScriptedReply> replies = {}, Script script = {});

    const std::string& id() const override { return id_; }
    BackendStatus status() const override;
    Capabilities capabilities() const override { return {true, true, true, 32768, grammars_, continues_}; }
    bool is_local() const override { return local_; }
    base::SteadyPoint not_before() const override;
    Prices prices() const override { return prices_; }
    net::Task<base::Result<void>> look() override;
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink) override;
    // Vectors of 4 that depend on the input alone.
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request) override;
    net::Task<base::Result<int>> count(ModelRequest request) override;

    void set_status(BackendStatus status);
    void set_grammars(bool held) { grammars_ = held; }  // before the first request
    void set_continues(bool can) { continues_ = can; }
    void set_local(bool local) { local_ = local; }  // it is, unless it stands for an upstream
    void set_prices(Prices prices) { prices_ = prices; }
    void set_not_before(base::SteadyPoint at);
    void set_unreachable(std::optional<base::Error> why);  // what look() finds
    void push(ScriptedReply reply);
    std::vector<ModelRequest> requests() const;  // in the order of arrival
    int cancelled() const;                       // how many ended by their stop token

private:
    ScriptedReply next(const ModelRequest& request);
    std::string id_;
    Script script_;
    mutable std::mutex mutex_;
    std::deque<ScriptedReply> replies_;
    std::vector<ModelRequest> requests_;
    BackendStatus status_;
    int cancelled_ = 0;
    bool grammars_ = false, continues_ = false, local_ = true;
    Prices prices_;
    base::SteadyPoint not_before_{};
    std::optional<base::Error> unreachable_;
    int calls_ = 0;  // numbers the ids of tool calls
};

// A script out of JSON lines {"when", "text"?, "reasoning"?, "tool_calls"?: [{"name", "arguments"}],
// "delay_ms"?: before the first delta, "word_delay_ms"?: after each word}. Of the lines whose `when`
// occurs in the last user message, the n-th answers after n assistant messages since. Errors name the line.
base::Result<Script> script_from_json_lines(std::string_view text);

}  // namespace router
