// One request on its way through the worker.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "base/stop.h"
#include "engine/draft_choice.h"
#include "engine/draft_source.h"
#include "engine/emit.h"
#include "engine/kv_blocks.h"
#include "engine/prompt_lookup.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/stream.h"

namespace engine {

class Adapter;

struct Sequence {
    using Time = std::chrono::steady_clock::time_point;

    std::shared_ptr<Stream> stream;
    base::StopToken stop;
    std::unique_ptr<text::GrammarState> grammar;  // null: free
    int max_tokens = 0, logprobs = 0;
    bool ignore_eos = false;
    std::string salt;
    std::uint64_t begun = 0;           // its number among those that a KvKeeper has taken

    std::vector<TokenId> tokens;       // prompt and output; has room for all that may come
    int prompt = 0;                    // of them
    int computed = 0;                  // whose keys and values are in the cache
    int blocks_needed = 0;             // at most, to its end
    std::uint64_t person = 0;          // whose it is
    Urgency urgency = Urgency::person;
    const Adapter* adapter = nullptr;
    std::vector<std::int32_t> table;   // its blocks
    int slot = -1;                     // of its recurrent state, from joining to its end
    BlockKey chain;                    // of its whole computed blocks; at first the start, by the request's salt
    int branch = 0, turn = 0;          // of a recurrent model: where in its prompt its state is worth keeping, see worker.cpp

    // Guesses at tokens to come; see worker_drafts.cpp.
    bool guesses = false;
    PromptLookup lookup;
    PromptLookup::Match match;         // of this step
    struct Guesses {
        Acceptance acceptance;
        int idle = 0;                  // times in a row that guesses would not have paid
        int trials = 0;                // guesses left that are made whatever they give
    };
    std::array<Guesses, kDraftSources.size()> of;  // each source
    DraftSource source = DraftSource::prompt;  // of this step
    int drafts = 0;                    // of this step's rows, the last ones
    int saved = -1;                    // where the recurrent state before this step is
    int rows = 0, right = 0;           // while it is: of this step, and how many of them had right tokens, all beyond `computed`

    Sampler sampler{{}, 1};
    std::vector<TokenId> shown;        // control tokens that have a text, ascending
    Emitter emitter{{}};
    Usage usage;
    Time queued, joined, decoding;

    bool is_stopped() const { return stream->stopped() || stop.stopped(); }
    int output() const { return int(tokens.size()) - prompt; }
};

}  // namespace engine
