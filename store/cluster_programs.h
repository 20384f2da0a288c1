// PostgreSQL's own programs for the private cluster: where they are, and what their failures mean.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/cluster.h"

namespace store {

struct Programs {
    std::filesystem::path folder;  // holds initdb, postgres, pg_ctl, pg_controldata
    int version = 0;               // 15

    std::string path(const char* name) const { return (folder / name).string(); }
};

// Of `options.binaries`, else the version that made the cluster `made_by` (0: a new one, the newest)
// under /usr/lib/postgresql, else in PATH. Errors name what is missing, too old or of another version.
base::Result<Programs> find_programs(const ClusterOptions& options, int made_by);

// Why a program failed, in one line: out of its output and of what the log has gained since
// `log_size`. A full disk is said to be one.
base::Error explain(const ClusterOptions& options, const std::string& action, int exit_code, const std::string& output, std::streamoff log_size);
std::filesystem::path log_of(const ClusterOptions& options);
std::streamoff size_of_log(const ClusterOptions& options);

// Processes of the cluster whose postmaster is gone: those that lie in its data folder.
std::vector<int> processes_in(const std::filesystem::path& data);
// A live postgres of that data folder; not one that was killed and waits for its parent to notice.
bool is_postmaster(int pid, const std::filesystem::path& data);

}  // namespace store
