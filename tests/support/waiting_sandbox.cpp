#include "support/waiting_sandbox.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

namespace support {
namespace {

using namespace std::chrono_literals;

struct Process {
    int parent = 0;
    char state = '?';
    std::string name, words;
};

std::map<int, Process> processes() {
    std::map<int, Process> out;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
        const std::string pid = entry.path().filename();
        if (pid.find_first_not_of("0123456789") != pid.npos) continue;
        std::string stat, words;
        std::getline(std::ifstream(entry.path() / "stat"), stat);
        std::getline(std::ifstream(entry.path() / "cmdline"), words, '\0');
        const std::size_t open = stat.find('('), close = stat.rfind(')');
        if (open == stat.npos || close == stat.npos) continue;
        Process process;
        process.name = stat.substr(open + 1, close - open - 1);
        process.words = words;
        std::istringstream(stat.substr(close + 1)) >> process.state >> process.parent;
        out[std::stoi(pid)] = process;
    }
    return out;
}

// Sandboxes below this process, and those of them whose first program sleeps.
void count(int& sandboxes, int& waiting) {
    sandboxes = waiting = 0;
    const auto all = processes();
    const auto parent_of = [&](int pid) {
        const auto found = all.find(pid);
        return found == all.end() ? 0 : found->second.parent;
    };
    for (const auto& [pid, process] : all) {
        int above = pid, steps = 0;
        while (above > 1 && above != getpid() && ++steps < 20) above = parent_of(above);
        if (above != getpid()) continue;
        sandboxes += process.name == "bwrap" && parent_of(process.parent) == getpid();
        waiting += process.words.starts_with("/proc/self/fd/") && process.state == 'S';
    }
}

}  // namespace

bool await_waiting_sandbox() {
    int still = 0;
    for (int looks = 0; looks < 600; ++looks) {
        std::this_thread::sleep_for(50ms);  // the next one is begun a little after the answer
        int sandboxes = 0, waiting = 0;
        count(sandboxes, waiting);
        still = waiting > 0 && waiting == sandboxes ? still + 1 : 0;
        if (still == 4) return true;
    }
    return false;
}

}  // namespace support
