// A bare git repository that texts are added to, by libgit2: history is never rewritten.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct git_repository;

namespace memory {

class GitStore {
public:
    // Made, 0700, where there is none. Whoever calls it must be the only one that writes there: what a killed writer left locked is unlocked.
    static base::Result<GitStore> open_to_write(const std::filesystem::path& folder);
    // None: there is no such repository.
    static base::Result<std::optional<GitStore>> open(const std::filesystem::path& folder);

    struct File {
        std::string path, content;
    };
    // One commit, on disk when this returns. False: the newest one holds all of them already, and there is none.
    base::Result<bool> commit(const std::vector<File>& files, const std::string& message, base::TimePoint now);
    // Of the newest commit; none: it has no such file.
    base::Result<std::optional<std::string>> read(const std::string& path) const;

private:
    using Handle = std::unique_ptr<git_repository, void (*)(git_repository*)>;
    explicit GitStore(Handle repository) : repository_(std::move(repository)) {}
    Handle repository_;
};

}  // namespace memory
