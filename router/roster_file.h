// The sections `models`, `upstreams`, `roster` and `budgets` of hearth.yaml. Every error names file, line and value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "router/backend.h"
#include "router/roster.h"

namespace router {

struct UpstreamRow {
    std::string id;
    std::string dialect = "openai", url = {}, model = {}, key = {}, key_file = {};  // of the key's two at most one: "secret:NAME", or a file
    int context = 0;          // tokens; 0: unknown
    int silence_seconds = 120;
    std::optional<bool> continues = {};
    Prices prices = {};
    bool operator==(const UpstreamRow&) const = default;
};

// A model in this process beside model.path's; it may be called by its id.
struct ModelRow {
    std::string id;
    std::string path = {}, draft = {};  // draft: a smaller model that guesses for it
    int context = 0;          // tokens of one sequence; 0: the model's, of at most 8,192
    int memory_mib = 0;       // for weights, keys and values, scratch; 0: what the others leave
    int threads = 0;          // 0: as the machine has
    int sequences = 4;        // decoded together
    bool loaded = true;       // at the start; else by hearth model load
    int line = 0;
    bool operator==(const ModelRow& other) const;  // but for the line
};

struct RosterRow {
    Alias alias;
    bool local_end = true;  // the embedded model ends the chain, also where it is not named
    int line = 0;
};

struct RosterFile {
    std::vector<ModelRow> models;
    std::vector<UpstreamRow> upstreams;
    std::vector<RosterRow> rows;
    Budget person;  // of each
};

// What requests may call a model: letters, digits, -, _ and dots.
bool is_model_name(const std::string& text);

// The top-level keys of hearth.yaml that are read here.
const std::vector<std::string>& roster_sections();

// `backends`: ids that the settings make, which a chain may name too. `taken`: aliases that no row may have.
base::Result<RosterFile> read_roster(const std::string& text, const std::string& file, const std::vector<std::string>& backends,
                                     const std::vector<std::string>& taken);

}  // namespace router
