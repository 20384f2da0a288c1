#include "store/cluster_programs.h"

#include <cctype>
#include <fstream>
#include <iterator>

#include "base/split.h"
#include "net/config.h"
#include "store/process.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr int kOldest = 15;
constexpr const char* kInstall = "apt-get install postgresql";

// The first of the programs that is not in the folder; empty when all are.
std::string missing_in(const fs::path& folder) {
    std::error_code ignored;
    for (const char* name : {"initdb", "postgres", "pg_ctl", "pg_controldata"})
        if (!fs::is_regular_file(folder / name, ignored)) return name;
    return {};
}

// "postgres (PostgreSQL) 15.18 (Debian …)" → 15; 0 when it does not say.
int version_in(const fs::path& folder) {
    const auto said = run_process({(folder / "postgres").string(), "--version"}, "");
    if (!said || said->exit_code != 0) return 0;
    const auto digit = said->output.find_first_of("0123456789");
    return digit == std::string::npos ? 0 : std::atoi(said->output.c_str() + digit);
}

// Debian keeps the versions beside each other.
Programs packaged(int made_by) {
    Programs best;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        const int version = std::atoi(entry.path().filename().c_str());
        const bool better = version == made_by || (version > best.version && best.version != made_by) || best.version == 0;
        if (better && missing_in(entry.path() / "bin").empty()) best = {entry.path() / "bin", version};
    }
    return best;
}

Programs in_path() {
    const std::string path = net::environment("PATH").value_or("/usr/local/bin:/usr/bin");
    for (const std::string& entry : base::split(path, ':')) {
        const fs::path folder = entry;
        if (folder.is_absolute() && missing_in(folder).empty()) return {folder, version_in(folder)};
    }
    return {};
}

base::Result<Programs> fitting(Programs found, int made_by, const fs::path& cluster) {
    const std::string version = std::to_string(found.version);
    if (found.version < kOldest)
        return base::error(Code::unsupported, "the PostgreSQL in " + found.folder.string() + (found.version ? " is version " + version : " does not say its version") +
                                                  ", " + std::to_string(kOldest) + " or newer is needed",
                           std::string(kInstall) + ", or set database.binaries");
    if (made_by != 0 && made_by != found.version)
        return base::error(Code::conflict, "the cluster in " + cluster.string() + " was made by PostgreSQL " + std::to_string(made_by) + ", found is " + version +
                                               " in " + found.folder.string(),
                           "install postgresql-" + std::to_string(made_by) + ", or upgrade the cluster with pg_upgrade");
    return found;
}

// A log's line without time and process: "2026-03-10 14:05:09.123 UTC [4711] FATAL:  …".
std::string without_stamp(const std::string& line) {
    const auto end = line.find("] ");
    const bool stamped = end != line.npos && end < 60 && !line.empty() && std::isdigit(static_cast<unsigned char>(line[0]));
    return stamped ? line.substr(end + 2) : line;
}

// The last line that tells a reason, else the last line.
std::string reason_in(const std::string& text) {
    std::string reason, last;
    for (const std::string& stamped : base::split(text, '\n')) {
        const std::string line = without_stamp(stamped);
        if (line.find_first_not_of(" \t") == line.npos) continue;
        last = line;
        for (const char* mark : {"FATAL:", "PANIC:", "error:", "ERROR:"})
            if (line.find(mark) != line.npos) reason = line;
    }
    return reason.empty() ? last : reason;
}

}  // namespace

base::Result<Programs> find_programs(const ClusterOptions& o, int made_by) {
    if (!o.binaries.empty()) {
        if (const std::string missing = missing_in(o.binaries); !missing.empty())
            return base::error(Code::not_found, "there is no " + missing + " in " + o.binaries.string() + " (database.binaries)",
                               std::string(kInstall) + " and leave database.binaries empty, or set it to the folder of initdb and postgres");
        return fitting({o.binaries, version_in(o.binaries)}, made_by, o.folder);
    }
    Programs found = packaged(made_by);
    if (found.folder.empty() || found.version < kOldest)
        if (Programs other = in_path(); !other.folder.empty()) found = other;
    if (found.folder.empty())
        return base::error(Code::not_found, "PostgreSQL is not installed: no initdb under /usr/lib/postgresql or in PATH",
                           std::string(kInstall) + ", or set database.url to a server of your own");
    return fitting(found, made_by, o.folder);
}

fs::path log_of(const ClusterOptions& o) { return o.folder / "log"; }

std::streamoff size_of_log(const ClusterOptions& o) {
    std::error_code absent;
    const auto size = fs::file_size(log_of(o), absent);
    return absent ? 0 : std::streamoff(size);
}

base::Error explain(const ClusterOptions& o, const std::string& action, int exit_code, const std::string& output, std::streamoff log_size) {
    std::string log;
    if (std::ifstream in(log_of(o)); in.seekg(log_size)) log.assign(std::istreambuf_iterator<char>(in), {});
    const std::string all = output + log;
    if (all.find("No space left on device") != std::string::npos || all.find("Disk quota exceeded") != std::string::npos)
        return base::error(Code::resource_exhausted, action + " failed: no space left on the disk of " + o.folder.string(),
                           "free some space, or set state.folder to another disk");
    const std::string reason = reason_in(log.empty() ? output : log);
    return base::error(Code::unavailable, action + " failed" + (reason.empty() ? " with exit status " + std::to_string(exit_code) : ": " + reason),
                       log.empty() ? "check that the folder " + o.folder.string() + " belongs to its user" : "the whole log is " + log_of(o).string());
}

std::vector<int> processes_in(const fs::path& data) {
    std::vector<int> out;
    std::error_code none;
    const fs::path wanted = fs::canonical(data, none);
    for (const auto& entry : fs::directory_iterator("/proc", none)) {
        const int pid = std::atoi(entry.path().filename().c_str());
        std::error_code unreadable;
        if (pid > 0 && fs::read_symlink(entry.path() / "cwd", unreadable) == wanted && !unreadable) out.push_back(pid);
    }
    return out;
}

bool is_postmaster(int pid, const fs::path& data) {
    const fs::path process = "/proc/" + std::to_string(pid);
    std::ifstream stat(process / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const auto name_end = text.rfind(')');  // "PID (name) STATE …"
    const bool alive = text.find("(postgres)") != text.npos && name_end + 2 < text.size() && text[name_end + 2] != 'Z';
    std::error_code unreadable, none;
    const fs::path lies_in = fs::read_symlink(process / "cwd", unreadable);
    return alive && (unreadable || lies_in == fs::canonical(data, none));
}

}  // namespace store
