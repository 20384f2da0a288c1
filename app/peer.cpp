#include "app/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/json.h"

extern char** environ;

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;

// For each stream; short, so that the time until all of them decode is short as well.
constexpr int kStreamPrompt = 16;
constexpr int kTries = 3;  // llama.cpp prints on a CPU thread of its own, and may end before that has

std::string contents(int fd) {
    std::string out;
    char buffer[8192];
    lseek(fd, 0, SEEK_SET);
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, std::size_t(n));
    return out;
}

// A file without a name, so that neither of a program's outputs can fill a pipe while the other is read.
class Nameless {
public:
    Nameless() : fd_(memfd_create("bench", MFD_CLOEXEC)) {}
    ~Nameless() { close(fd_); }
    int fd() const { return fd_; }

private:
    const int fd_;
};

std::vector<std::string> with_huge_pages() {
    std::vector<std::string> out;
    for (char** one = environ; *one; ++one)
        if (std::strncmp(*one, "GLIBC_TUNABLES=", 15) != 0) out.push_back(*one);
    out.push_back("GLIBC_TUNABLES=glibc.malloc.hugetlb=1");  // malloc asks for them by madvise, as we do
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& of) {
    std::vector<char*> out;
    for (std::string& one : of) out.push_back(one.data());
    out.push_back(nullptr);
    return out;
}

struct Printed {
    std::string out, said;  // on standard output and standard error
};

base::Result<Printed> run(std::vector<std::string> argv) {
    const Nameless out, said;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.fd(), 1);
    posix_spawn_file_actions_adddup2(&actions, said.fd(), 2);
    std::vector<std::string> environment = with_huge_pages();
    pid_t child = 0;
    const int failed = posix_spawnp(&child, argv[0].c_str(), &actions, nullptr, pointers(argv).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return base::error(Code::not_found, "cannot run " + argv[0] + ": " + std::strerror(failed), "name the program that its build made, as in build/bin/llama-bench");
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Printed{contents(out.fd()), contents(said.fd())};
    std::string last = contents(said.fd());
    while (!last.empty() && std::isspace(static_cast<unsigned char>(last.back()))) last.pop_back();
    last = last.substr(last.rfind('\n') + 1);
    return base::error(Code::unavailable, argv[0] + (WIFSIGNALED(status) ? " died of signal " + std::to_string(WTERMSIG(status)) : " ended with status " + std::to_string(WEXITSTATUS(status))) +
                                              (last.empty() ? "" : ": " + last));
}

// llama-batched-bench knows llama-bench's switches by the names of llama-cli.
std::vector<std::string> as_of_cli(const std::vector<std::string>& flags) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < flags.size(); ++i) {
        const bool on = i + 1 < flags.size() && flags[i + 1] == "1", off = i + 1 < flags.size() && flags[i + 1] == "0";
        if (flags[i] == "-mmp" && off) out.push_back("--no-mmap");
        else if (on && (flags[i] == "-rtr" || flags[i] == "-thp")) out.push_back(flags[i]);
        else if (!on && !off) out.push_back(flags[i]);
        if (on || off) ++i;
    }
    return out;
}

std::vector<std::string> command(const Peer& peer, const BenchTask& task) {
    std::vector<std::string> out = {peer.program, "-m", task.file, "-t", std::to_string(task.threads), "-p", std::to_string(task.prefill), "-n", std::to_string(task.decode), "-r", "1", "-o", "json"};
    out.insert(out.end(), peer.flags.begin(), peer.flags.end());
    return out;
}

std::vector<std::string> streams_command(const Peer& peer, const BenchTask& task) {
    const fs::path beside = fs::path(peer.program).parent_path() / "llama-batched-bench";
    const std::string each = std::to_string(task.streams * (kStreamPrompt + task.decode) + 64);
    std::vector<std::string> out = {beside.string(), "-m", task.file, "-t", std::to_string(task.threads), "-c", each, "-npp", std::to_string(kStreamPrompt), "-ntg", std::to_string(task.decode), "-npl", std::to_string(task.streams)};
    for (const std::string& flag : as_of_cli(peer.flags)) out.push_back(flag);
    return out;
}

// The table is on standard output or, of ik_llama.cpp, among what it says beside.
base::Result<double> measure_streams(const Peer& peer, const BenchTask& task) {
    base::Result<double> out = 0.0;
    for (int i = 0; i < kTries; ++i) {
        const auto printed = run(streams_command(peer, task));
        if (!printed) return printed.error();
        for (const std::string* table : {&printed->said, &printed->out})
            if (out = streams_of(*table); out) return out;
    }
    return out;
}

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

}  // namespace

base::Result<Peer> read_peer(std::string_view text) {
    const auto equals = text.find('=');
    const auto words = equals == text.npos ? std::vector<std::string>() : words_of(text.substr(equals + 1));
    if (equals == 0 || words.empty())
        return base::error(Code::invalid_argument, "--against '" + std::string(text) + "' names no program", "write NAME=PROGRAM, as in other=build/bin/llama-bench, with its own flags after blanks");
    return Peer{std::string(text.substr(0, equals)), words[0], {words.begin() + 1, words.end()}};
}

base::Result<Speeds> speeds_of(std::string_view json) {
    const auto parsed = base::parse_json(std::string(json));
    Speeds out;
    if (parsed && parsed->is_array())
        for (const auto& test : *parsed) {
            if (!test.is_object()) continue;
            const int prompt = test.value("n_prompt", 0), output = test.value("n_gen", 0);
            if (prompt > 0 && output == 0) out.prefill = test.value("avg_ts", 0.0);
            if (prompt == 0 && output > 0) out.decode = test.value("avg_ts", 0.0);
        }
    if (out.prefill > 0 && out.decode > 0) return out;
    return base::error(Code::corrupt, "what it printed has no avg_ts of a prompt and of an output: " + std::string(json.substr(0, 200)), "use a llama-bench that knows -o json");
}

// | PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |
base::Result<double> streams_of(std::string_view table) {
    constexpr std::size_t columns = 10, speed = 7;
    double out = 0;
    for (std::size_t at = 0; at < table.size();) {
        const std::size_t end = std::min(table.find('\n', at), table.size());
        std::string line(table.substr(at, end - at));
        at = end + 1;
        std::vector<double> numbers;
        for (std::size_t bar = line.find('|'); bar != line.npos; bar = line.find('|', bar + 1)) {
            char* after = nullptr;
            const double number = std::strtod(line.c_str() + bar + 1, &after);
            if (after != line.c_str() + bar + 1) numbers.push_back(number);
        }
        if (numbers.size() == columns) out = numbers[speed];
    }
    if (out > 0) return out;
    return base::error(Code::corrupt, "what it printed has no row of figures: " + std::string(table.substr(0, 200)), "the program beside it, llama-batched-bench, is another one");
}

base::Result<Speeds> run_peer(const Peer& peer, const BenchTask& task) {
    auto printed = run(command(peer, task));
    if (!printed) return std::move(printed).error();
    auto out = speeds_of(printed->out);
    if (!out || task.streams == 0) return out;
    const auto streams = measure_streams(peer, task);
    if (!streams) return streams.error();
    out->streams = *streams;
    return out;
}

}  // namespace app
