// What goes into the engine and what comes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/urgency.h"
#include "text/grammar.h"
#include "text/tokenizer.h"

namespace engine {

using text::TokenId;

// A stretch of prompt: token ids, or embedding rows (images, audio) with a content hash and
// positions of three rows (text: all equal).
struct PromptSpan {
    std::vector<TokenId> tokens{};
    std::vector<float> embeddings{};           // [n, hidden]; exclusive with tokens
    std::uint64_t content_hash = 0;          // of what the embeddings stand for
    std::vector<std::int32_t> positions[3]{};  // only with embeddings
};

struct Sampling {
    float temperature = 0;  // 0: greedy
    int top_k = 0;          // 0: all
    float top_p = 1, min_p = 0;
    float repetition_penalty = 1, presence_penalty = 0, frequency_penalty = 0;
    int penalty_window = 256;       // last tokens, prompt included, that penalties look at
    std::uint64_t seed = 0;         // 0: drawn from the kernel
    std::map<TokenId, float> logit_bias{};
};

struct Request {
    std::vector<PromptSpan> prompt;  // the full prompt, every time; the cache is found inside
    Sampling sampling;
    int max_tokens = 512;            // of output
    std::vector<std::string> stop;   // texts; the output ends before the first one
    std::vector<TokenId> shown;      // control tokens that the output's text holds, ascending: a dialect's markup; others have none
    std::shared_ptr<const text::Grammar> grammar;  // null: free
    std::string grammar_trigger;     // see text/grammar.h; what they force is split as text::GrammarState::forced says
    std::shared_ptr<const text::CallHeads> grammar_heads;  // null: none
    bool ignore_eos = false;         // benchmarks
    std::string cache_salt;          // prefixes are shared only between equal salts
    std::string adapter;             // of LoadOptions::adapters; empty: the model as it is
    std::string person;              // whose it is: people get turns alike, however many requests each has; empty: nobody's in particular
    Urgency urgency = Urgency::person;  // what is more urgent is computed first; see scheduler.h
    int logprobs = 0;                // top-n per output token, 0: none; with them every token is sampled, also a forced one
    bool drafts = true;              // tokens may be guessed and verified together where the engine does (LoadOptions::drafts); the text is the same
};

// A text to make a vector of: as text, to which the tokens are added that begin and end one, or as token ids, taken as they are.
using EmbeddingInput = std::variant<std::string, std::vector<TokenId>>;

struct EmbeddingRequest {
    std::vector<EmbeddingInput> inputs;
    bool truncate = false;  // what is longer than the context is cut; else refused
};

struct Embeddings {
    int width = 0;
    std::vector<float> values;  // (inputs, width)
    int tokens = 0;             // of all inputs
};

enum class Finish { none, stop, length, cancelled, deadline, failed };

struct TokenLogprob {
    TokenId id;
    float logprob;
};

// One event per decoded token, then a last one without a token (id -1), which may carry text that was
// held back. `text` is complete UTF-8 (bytes of an unfinished character wait for the next token) and
// never contains a stop text or a part of one. The token that ends generation has no event.
struct TokenEvent {
    TokenId id = -1;
    std::string text;
    std::vector<TokenLogprob> top;  // as asked by Request::logprobs, best first
    Finish finish = Finish::none;   // other than none: the last event
    std::string error;              // with Finish::failed
    base::Code code = base::Code::internal;  // of the error; unavailable: the machine is at fault, and what was asked may be asked again
};

struct Usage {
    int prompt_tokens = 0;
    int cached_tokens = 0;  // of the prompt, found in the cache
    int output_tokens = 0;
    int forced_tokens = 0;  // of the output: those that the grammar left no choice about, appended without a step of their own
    int drafted_tokens = 0, accepted_tokens = 0;  // guessed, and of these right: they took no step of their own either
    std::chrono::microseconds queued{0}, prefill{0}, decode{0};
};

}  // namespace engine
