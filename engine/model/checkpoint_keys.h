// From config.json's keys to those of GGUF.
#pragma once

#include <string>
#include <vector>

#include "engine/model/checkpoint_config.h"
#include "engine/model/config.h"
#include "engine/model/mapped_file.h"
#include "text/json_node.h"

namespace engine {

class Translation {
public:
    // `from`: the text model's part.
    Translation(const text::JsonNode& from, const char* architecture, CheckpointConfig& to) : from(from), prefix_(std::string(architecture) + "."), to_(to) {}
    const text::JsonNode& from;

    void common();  // what every family has
    void set(const std::string& ours, base::Json value) { to_.keys[prefix_ + ours] = std::move(value); }
    void call(const std::string& ours, const char* theirs) { to_.shown[prefix_ + ours] = theirs; }  // in errors
    void prefer(const NameTable& names) { to_.names.insert(to_.names.begin(), &names); }
    void erase(const std::string& ours) { to_.keys.erase(prefix_ + ours); }
    bool has(const std::string& ours) const { return to_.keys.contains(prefix_ + ours); }

    int layers() const { return int(from["num_hidden_layers"].integer(1, kMostLayers)); }
    int integer(const char* key, std::int64_t otherwise) const { return int(from[key].integer(0, kMost, otherwise)); }
    int integer(const char* key) const { return int(from[key].integer(0, kMost)); }
    double number(const char* key, double otherwise) const { return from[key].absent() ? otherwise : from[key].number(); }
    int head_dim() const;
    // Of each layer: whether layer_types calls it so; empty where there is no such key.
    std::vector<bool> layers_called(std::initializer_list<const char*> types) const;
    // What the angles of layers that see everything, or of those with a window, are made of.
    text::JsonNode rope(bool local) const;
    void set_rope(int dim);  // dim: of the head's part that may turn
    // Refuses a key that says something else than nothing, null or this.
    void only(const char* key, const base::Json& allowed) const;

private:
    static constexpr std::int64_t kMost = 1 << 28, kMostLayers = 4096;
    void set_yarn(const text::JsonNode& rope);
    std::string prefix_;
    CheckpointConfig& to_;
};

// A model_type is a row.
struct CheckpointFamily {
    const char* model_type;    // of the text model
    const char* architecture;  // of families()
    std::vector<const NameTable*> names;
    void (*read)(Translation&) = nullptr;
    const char* defaults = "{}";  // its class's, of keys that can be left out and mean something else than nothing
    std::vector<const char*> kinds = {"full_attention", "sliding_attention"};  // that layer_types may hold
};
const std::vector<CheckpointFamily>& checkpoint_families();

}  // namespace engine
