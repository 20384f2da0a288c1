// What a launch in the sandbox costs beside a plain one; interleaved, so that load meets both alike.
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/git_folders.h"
#include "sandbox/launcher.h"

namespace {

constexpr int kRuns = 200;

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

int main() {
    auto launcher = sandbox::Launcher::start().value();
    if (launcher->level() < sandbox::Level::t2) {
        fmt::print("skipped: {}\n", launcher->probes().at(0).found);
        return 0;
    }
    char folder[] = "/tmp/hearth-bench-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    auto workspace = sandbox::Workspace::open(folder, sandbox::Workspace::Access::read_write, {}).value();
    auto fixed = sandbox::Workspace::open(folder, sandbox::Workspace::Access::read_only, {}).value();
    std::vector<double> bare, empty, read_only, read_write;
    const auto run = [&](const sandbox::Workspace* where) {
        sandbox::Command command;
        command.argv = {"true"};
        command.workspace = where;
        if (launcher->run(command, sandbox::Level::t2, {}).value().exit_code != 0) throw std::runtime_error("true failed");
    };
    for (int i = 0; i < kRuns; ++i) {
        bare.push_back(milliseconds_of(plain));
        empty.push_back(milliseconds_of([&] { run(nullptr); }));
        read_only.push_back(milliseconds_of([&] { run(fixed.get()); }));
        read_write.push_back(milliseconds_of([&] { run(workspace.get()); }));
    }
    fmt::print("{:24} {:>8} {:>8}  (ms, {} runs)\n", "", "p50", "p95", kRuns);
    fmt::print("{:24} {:8.2f} {:8.2f}\n", "plain", at(bare, 0.5), at(bare, 0.95));
    fmt::print("{:24} {:8.2f} {:8.2f}\n", "T2, no workspace", at(empty, 0.5), at(empty, 0.95));
    fmt::print("{:24} {:8.2f} {:8.2f}\n", "T2, read-only workspace", at(read_only, 0.5), at(read_only, 0.95));
    fmt::print("{:24} {:8.2f} {:8.2f}\n", "T2, workspace", at(read_write, 0.5), at(read_write, 0.95));
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
