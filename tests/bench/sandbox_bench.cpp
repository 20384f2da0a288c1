// What a launch in the sandbox costs beside a plain one; interleaved, so that load meets both alike. In a sandbox that is
// made for the call, in one that is ready since the call before, and when the call comes at once after another.
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/git_folders.h"
#include "sandbox/launcher.h"

namespace {

constexpr std::chrono::milliseconds kPause{60};  // shorter than what a model takes between two calls

double milliseconds_of(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void plain() {
    char* argv[] = {const_cast<char*>("true"), nullptr};
    pid_t child = 0;
    if (posix_spawn(&child, "/usr/bin/true", nullptr, nullptr, argv, nullptr) == 0) waitpid(child, nullptr, 0);
}

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times[std::size_t(share * double(times.size() - 1))];
}

}  // namespace

// Usage: sandbox_bench [RUNS [FOLDER]]; the workspace is made in FOLDER, or /tmp.
int main(int argc, char** argv) {
    const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 100;
    auto launcher = sandbox::Launcher::start().value();
    if (launcher->level() < sandbox::Level::t2) {
        fmt::print("skipped: {}\n", launcher->probes().at(0).found);
        return 0;
    }
    std::string folder = std::string(argc > 2 ? argv[2] : "/tmp") + "/hearth-bench-XXXXXX";
    if (!mkdtemp(folder.data())) return 1;
    auto workspace = sandbox::Workspace::open(folder, sandbox::Workspace::Access::read_write, {}).value();
    auto fixed = sandbox::Workspace::open(folder, sandbox::Workspace::Access::read_only, {}).value();
    struct Row {
        const char* name;
        const sandbox::Workspace* where;
        std::vector<double> made, ready, at_once;
    } rows[] = {{"T2, no workspace", nullptr, {}, {}, {}}, {"T2, read-only workspace", fixed.get(), {}, {}, {}}, {"T2, workspace", workspace.get(), {}, {}, {}}};
    std::vector<double> bare;
    int were_ready = 0;
    const auto run = [&](const Row& row, std::uint64_t file_bytes) {
        sandbox::Command command;
        command.argv = {"true"};
        command.workspace = row.where;
        command.limits.file_bytes = file_bytes;
        const auto outcome = launcher->run(command, sandbox::Level::t2, {}).value();
        if (outcome.exit_code != 0) throw std::runtime_error("true failed");
        return outcome.was_ready;
    };
    const std::uint64_t usual = sandbox::Limits{}.file_bytes;
    std::uint64_t unheard = usual;  // limits that no run had before: nothing is ready
    for (int i = 0; i < runs; ++i)
        for (Row& row : rows) {
            const auto time = [&](std::vector<double>& times, std::uint64_t file_bytes) { times.push_back(milliseconds_of([&] { were_ready += run(row, file_bytes); })); };
            bare.push_back(milliseconds_of(plain));
            time(row.made, --unheard);
            std::this_thread::sleep_for(kPause);
            run(row, usual);
            std::this_thread::sleep_for(kPause);
            time(row.ready, usual);
            time(row.at_once, usual);
            std::this_thread::sleep_for(kPause);
        }
    fmt::print("{:24} {:>8} {:>8}  (ms, {} runs each; {} of {} were ready)\n", "", "p50", "p95", runs, were_ready, std::size_t(runs) * std::size(rows));
    fmt::print("{:24} {:8.2f} {:8.2f}\n", "plain", at(bare, 0.5), at(bare, 0.95));
    for (const Row& row : rows)
        for (const auto& [way, times] : {std::pair("ready", &row.ready), std::pair("at once", &row.at_once), std::pair("made for it", &row.made)})
            fmt::print("{:24} {:8.2f} {:8.2f}  {}\n", row.name, at(*times, 0.5), at(*times, 0.95), way);
    // Once before and once after each run in a workspace.
    for (int folders : {0, 100, 1000, 10000}) {
        for (int i = int(std::distance(std::filesystem::directory_iterator(folder), {})); i < folders / 10; ++i)
            for (int k = 0; k < 9; ++k) std::filesystem::create_directories(std::filesystem::path(folder) / std::to_string(i) / std::to_string(k));
        std::vector<double> walks;
        for (int i = 0; i < 20; ++i) walks.push_back(milliseconds_of([&] { sandbox::GitFolders::of(workspace->fd(), {}); }));
        fmt::print("{:24} {:8.3f} {:8.3f}\n", fmt::format("a walk, {} folders", folders), at(walks, 0.5), at(walks, 0.95));
    }
    std::filesystem::remove_all(folder);
}
