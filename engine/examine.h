// What a model file is, what a load of it would take, and what of it would be refused and why. No weight is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/model/outline.h"

namespace engine {

struct Examination {
    Outline file;                          // by the container alone
    std::optional<ModelInfo> info;         // of a model that this engine understands
    std::optional<base::Error> refused;    // what a load by these options would fail with
    MemoryPlan plan;                       // of one that loads
    std::optional<ExpertForecast> experts;  // of one that loads with a cache of experts

    // Of an understood decoder, by the options' target and profile.
    struct Needs {
        std::string target;
        std::uint64_t laid_out = 0, mapped = 0;  // bytes of weights: in memory of our own, and as they lie in the file
        std::uint64_t kv_bytes_per_token = 0, state_bytes = 0;  // state: of one sequence
        std::string kv_sum;  // how kv_bytes_per_token comes about
        std::vector<std::pair<std::string, std::uint64_t>> values;  // of matrices by the format that they are computed in
    };
    std::optional<Needs> needs;

    // Of an understood decoder; layers that do not attend are left out.
    struct Attention {
        struct Rope {
            double theta = 0;
            int dimensions = 0, layers = 0;
            std::string scaling;           // "yarn by 32 from 4096 tokens"; empty: none
        };
        int layers = 0;
        std::vector<int> head_sizes;       // of queries and keys, ascending
        std::vector<std::pair<int, int>> windows;  // tokens that a layer sees, and how many layers do; ascending
        std::vector<Rope> ropes;
        int without_positions = 0;         // layers
    };
    std::optional<Attention> attention;

    struct Tokens {
        std::string kind;                  // "BPE of bytes", …
        int count = 0;
        std::string bos, eos;              // bos: where a text begins with one
        std::vector<std::string> ends;     // what ends a reply, the eos apart
    };
    std::optional<Tokens> tokens;

    struct Template {
        std::string dialect;               // of its tool calls; "none"
        std::vector<std::string> reasoning;  // the marks and switches of reasoning that it knows
        std::string broken;                // why it cannot be used; empty: it can
    };
    std::optional<Template> chat_template;

    bool has_head = false;                 // for drafting, that guesses tokens to come
    std::vector<std::string> notes;        // what a user should know before using it
};
Examination examine(const LoadOptions& options);

}  // namespace engine
