// Runs a program the plain way: what an attack does where nothing stops it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace support {

struct Ran {
    int exit_code = -1;       // 128+n when killed by signal n
    bool killed_late = false; // still alive when the time was over
    std::string output;       // stdout and stderr, the first megabyte
};

// `folder` is its working directory. Everything else is inherited, on purpose.
inline Ran run_plain(const std::vector<std::string>& argv, const std::string& folder,
                     std::chrono::milliseconds wall = std::chrono::seconds(20)) {
    int ends[2];
    if (pipe(ends) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        dup2(ends[1], 1), dup2(ends[1], 2);
        close(ends[0]), close(ends[1]);
        std::vector<char*> words;
        for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        if (chdir(folder.c_str()) == 0) execvp(words[0], words.data());
        _exit(127);
    }
    close(ends[1]);
    Ran out;
    const auto end = std::chrono::steady_clock::now() + wall;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd ready{ends[0], POLLIN, 0};
        if (left <= 0 || poll(&ready, 1, int(left)) <= 0) {
            out.killed_late = true;
            break;
        }
        char buffer[65536];
        const ssize_t n = read(ends[0], buffer, sizeof buffer);
        if (n <= 0) break;
        if (out.output.size() < (1u << 20)) out.output.append(buffer, std::size_t(n));
    }
    close(ends[0]);
    int status = 0;
    // It may have closed its output and live on.
    while (!out.killed_late && waitpid(child, &status, WNOHANG) == 0) {
        out.killed_late = std::chrono::steady_clock::now() >= end;
        usleep(1000);
    }
    if (out.killed_late) {
        kill(-child, SIGKILL);
        waitpid(child, &status, 0);
    }
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return out;
}

}  // namespace support
