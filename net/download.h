// A file from a URL to disk: resumed where an earlier attempt ended. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace net {

struct DownloadOptions {
    long connect_seconds = 5;        // an unreachable host fails over within this
    long stall_seconds = 30;         // no byte for so long ends the attempt
    std::uint64_t most_bytes = 0;    // 0: no limit
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // total 0: unknown
};

// Appends to `file` from its present size on (HTTP Range), or from the start where the server cannot go on
// there. What arrived stays when it fails.
base::Result<void> download(const std::string& url, const std::filesystem::path& file, const DownloadOptions& options);

}  // namespace net
