// Runs programs in the sandbox, through a small process that main forks before CPU threads,
// secrets, CUDA or the model exist. After a run that process makes the next sandbox, without a folder and with nothing
// running in it but what waits for a command; a next call with the same limits and the same owner takes it. The
// workspace and what is held read-only in it are mounted when the command comes. A sandbox serves one command.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/probe.h"
#include "base/result.h"
#include "base/secret_value.h"
#include "base/stop.h"
#include "sandbox/workspace.h"

namespace sandbox {

// T0 read-only file tools, in process · T2 namespaces + seccomp + limits. No machine reaches T1 (for containers that
// forbid namespaces) or T3 (a virtual machine): nothing implements them, nor does T2 use Landlock.
enum class Level { t0, t1, t2, t3 };
std::string_view name(Level level);

struct Limits {
    std::uint64_t memory_bytes = 512ull << 20;  // of all processes together
    int processes = 128;
    std::uint64_t file_bytes = 64ull << 20;
    std::uint64_t tmp_bytes = 64ull << 20;
    int open_files = 256;
    std::uint64_t output_bytes = 1ull << 20;   // kept, head and tail; the rest is drained and counted
    std::uint64_t drain_bytes = 64ull << 20;   // beyond it the process is killed
    std::chrono::milliseconds wall{30000};
};

struct Command {
    std::vector<std::string> argv;     // argv[0] is looked up in /usr/bin:/bin inside
    std::string stdin_text;
    const base::SecretValue* environment = nullptr;  // NAME=VALUE, each ended by a NUL, beside the sandbox's own; goes from here to the program alone
    const Workspace* workspace = nullptr;  // null: an empty folder
    std::string working_directory;     // relative to the workspace
    Limits limits;
};

struct Outcome {
    int exit_code = -1;                // 128+n when killed by signal n
    bool timed_out = false, cancelled = false, output_cut = false, out_of_memory = false;
    std::string output;                // stdout and stderr as they came, cut in the middle when too long
    std::uint64_t output_bytes = 0;    // produced in all
    std::chrono::milliseconds wall{0};
    Level level = Level::t0;           // that it ran under
    bool memory_by_group = false;      // the limit of memory was the kernel's, of a control group; else a watch's
    bool was_ready = false;            // the sandbox, before the command came
    std::vector<std::string> disarmed; // what the run had left for git outside to run, and is gone: a line each
};

struct LauncherOptions {
    std::chrono::milliseconds keep_ready{60000};  // a sandbox that waits for a call, until it is given up
};

class Launcher {
public:
    // Forks the launcher process. Call first thing in main: single-threaded, before secrets.
    static base::Result<std::unique_ptr<Launcher>> start(LauncherOptions options = {});
    virtual ~Launcher() = default;
    // Blocking; thread-safe. Refused (permission_denied) below `required`; {unavailable} when the
    // launcher process died: exec tools stay refused until restart.
    virtual base::Result<Outcome> run(const Command& command, Level required, base::StopToken stop) = 0;
    virtual Level level() const = 0;   // reached on this machine, found by trying
    virtual base::Probes probes() const = 0;
};

}  // namespace sandbox
