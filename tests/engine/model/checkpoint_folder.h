// Golden checkpoints in Hugging Face's form, and changed copies of them.
#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "support/fixtures.h"

namespace checkpoints {

namespace fs = std::filesystem;
using nlohmann::json;

inline void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// A copy of a golden folder whose tensors and configuration can be changed.
class Folder {
public:
    explicit Folder(const fs::path& from) {
        for (const auto& entry : fs::directory_iterator(from)) {
            const std::string name = entry.path().filename();
            if (name.ends_with(".json") && !name.starts_with("golden")) write(path() / name, support::read_text(entry.path()));
        }
        const std::string file = support::read_text(from / "model.safetensors");
        std::uint64_t length = 0;
        std::memcpy(&length, file.data(), 8);
        header = json::parse(file.substr(8, length));
        header.erase("__metadata__");
        for (const auto& [name, tensor] : header.items()) {
            const std::uint64_t begin = tensor["data_offsets"][0], end = tensor["data_offsets"][1];
            data[name] = file.substr(8 + length + begin, end - begin);
        }
        config = json::parse(support::read_text(from / "config.json"));
    }

    const fs::path& path() const { return dir_.path(); }

    // The tensors that `mine` takes, as one file.
    void write_weights(const std::string& file, const std::function<bool(const std::string&)>& mine) const {
        json out = json::object();
        std::string bytes;
        for (const auto& [name, tensor] : header.items()) {
            if (!mine(name)) continue;
            out[name] = tensor;
            out[name]["data_offsets"] = {bytes.size(), bytes.size() + data.at(name).size()};
            bytes += data.at(name);
        }
        const std::string head = out.dump();
        const std::uint64_t length = head.size();
        write(path() / file, std::string(reinterpret_cast<const char*>(&length), 8) + head + bytes);
    }
    void write_all() const {
        write(path() / "config.json", config.dump());
        write_weights("model.safetensors", [](const std::string&) { return true; });
    }
    // Two files and their index.
    void write_shards() const {
        write(path() / "config.json", config.dump());
        json map = json::object();
        const auto second = [](const std::string& name) { return std::hash<std::string>{}(name) % 2 == 1; };
        for (const auto& [name, tensor] : header.items()) map[name] = second(name) ? kSecond : kFirst;
        write_weights(kFirst, [&](const std::string& name) { return !second(name); });
        write_weights(kSecond, second);
        write(path() / "model.safetensors.index.json", json{{"metadata", json::object()}, {"weight_map", map}}.dump());
    }

    static constexpr const char *kFirst = "model-00001-of-00002.safetensors", *kSecond = "model-00002-of-00002.safetensors";
    json header, config;
    std::map<std::string, std::string> data;

private:
    support::TempDir dir_;
};

// What a plan of it says, which reads no weights: "" where it would load.
inline std::string refusal(const fs::path& path) {
    const auto plan = engine::Engine::plan({.path = path, .profile = engine::Profile::exact, .threads = 1});
    return plan ? "" : plan.error().message;
}

inline std::optional<fs::path> golden_folder(const char* name) {
    const auto golden = support::golden_dir();
    if (!golden) return std::nullopt;
    return *golden / name;
}

}  // namespace checkpoints
