#include "sandbox/job.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "sandbox/beneath.h"
#include "sandbox/bwrap_args.h"
#include "sandbox/git_folders.h"
#include "sandbox/memory_watch.h"
#include "sandbox/stand_in.h"

namespace sandbox {
namespace {

using base::Code;
constexpr const char* kBwrap = "/usr/bin/bwrap";
constexpr std::chrono::milliseconds kLookEvery{50};

struct Owner {
    uid_t uid = 65534;
    gid_t gid = 65534;
};

void limit(int which, std::uint64_t value) {
    const rlimit both{value, value};
    setrlimit(__rlimit_resource(which), &both);
}

// What the child needs on its way to being bubblewrap.
struct Start {
    std::vector<std::string> words;
    std::vector<int> keep;  // stay open
    int input, output, status, workspace;
    const std::vector<Overlay>& overlays;
    Owner owner;
    Limits limits;
    pid_t launcher;
};

// From root to the owner of the workspace; nobody else can change who he is.
bool lower(const Owner& owner) {
    if (geteuid() != 0) return true;
    return setgroups(0, nullptr) == 0 &&
           (owner.uid == 0 || (setresgid(owner.gid, owner.gid, owner.gid) == 0 && setresuid(owner.uid, owner.uid, owner.uid) == 0));
}

[[noreturn]] void give_up(int fd, const std::string& said, int code) {
    if (write(fd, said.data(), said.size()) < 0) _exit(126);
    _exit(code);
}

// In the child, a process with one CPU thread.
[[noreturn]] void become_bwrap(const Start& start) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    dup2(start.input, 0);
    dup2(start.output, 1);
    dup2(start.output, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, start.limits.file_bytes);
    limit(RLIMIT_NOFILE, std::uint64_t(start.limits.open_files));
    const bool lowered = lower(start.owner);
    if (lowered && start.workspace >= 0 && !reachable(start.workspace)) {
        const std::string problem = bring_within_reach(start.workspace, start.overlays);
        if (!problem.empty()) give_up(2, "the workspace " + path_of(start.workspace) + ": " + problem, 127);
    }
    syscall(SYS_close_range, 3u, ~0u, unsigned(CLOSE_RANGE_CLOEXEC));
    for (int fd : start.keep) fcntl(fd, F_SETFD, 0);
    std::vector<char*> argv;
    for (const std::string& word : start.words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    // An empty environment: bubblewrap's own pid 1 would keep, and show, whatever it was given.
    char* const nothing[] = {nullptr};
    // After the last change of credentials, which would take it back; bubblewrap sets its own late.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != start.launcher) _exit(126);
    if (lowered) execve(kBwrap, argv.data(), nothing);
    give_up(start.status, "{ \"exec-errno\": " + std::to_string(errno) + " }\n", 127);
}

bool is_installed(const std::string& program) {
    if (program.find('/') != std::string::npos) return true;
    for (const char* folder : {"/usr/local/bin/", "/usr/bin/"})
        if (access((folder + program).c_str(), X_OK) == 0) return true;
    return false;
}

std::vector<std::string> present_etc() {
    std::vector<std::string> out;
    for (const std::string& path : visible_etc())
        if (access(path.c_str(), R_OK) == 0) out.push_back(path);
    return out;
}

bool pipe_of(Fd& read_end, Fd& write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = Fd(ends[0]), write_end = Fd(ends[1]);
    return true;
}

base::Result<void> check(const Request& request) {
    if (request.root == "/") return base::error(Code::permission_denied, "the root folder / cannot be a workspace", "name a folder below it");
    if (!is_installed(request.argv[0]))
        return base::error(Code::not_found, "the program \"" + request.argv[0] + "\" is neither in /usr/local/bin nor in /usr/bin");
    return {};
}

void read_status(Job& job) {
    char buffer[1024];
    ssize_t n = 0;
    while (job.status && (n = read(job.status.get(), buffer, sizeof buffer)) > 0) job.said.append(buffer, std::size_t(n));
    if (n == 0) job.status = Fd();
}

void watch_memory(Job& job) {
    if (!job.next_look || job.kill_wanted || std::chrono::steady_clock::now() < *job.next_look) return;
    job.over_memory = job.kill_wanted = uses_more_memory(job.inner, job.limits.memory_bytes);
    job.next_look = std::chrono::steady_clock::now() + kLookEvery;
}

}  // namespace

std::optional<long> number_in(const std::string& documents, const std::string& key) {
    const std::size_t at = documents.find("\"" + key + "\":");
    if (at == std::string::npos) return std::nullopt;
    return std::strtol(documents.c_str() + at + key.size() + 3, nullptr, 10);
}

base::Result<void> start_job(Job& job, Descriptors d, Protection& protection, const std::string& seccomp) {
    auto request = decode_request(read_file(d.request.get()));
    if (!request) return base::error(Code::internal, "the request for the launcher cannot be read");
    if (auto good = check(*request); !good) return good.error();
    Owner owner;
    struct stat about{};
    if (d.workspace && fstat(d.workspace.get(), &about) == 0) owner = {about.st_uid, about.st_gid};
    std::vector<Overlay> overlays;
    if (d.workspace && !request->read_only) overlays = protection.hold(d.workspace.get(), job.held.emplace());
    for (const std::string& path : request->held)
        if (Fd there = open_path(d.workspace.get(), path)) overlays.push_back({std::move(there), path, false});
    std::erase_if(request->masked, [&](const std::string& folder) {
        const Fd there = open_path(d.workspace.get(), folder);
        return !there || fstat(there.get(), &about) != 0 || !S_ISDIR(about.st_mode);
    });
    const InsideIds ids;
    const Fd passwd = memory_file("sandbox:x:" + std::to_string(ids.uid) + ":" + std::to_string(ids.gid) + ":sandbox:/tmp:/bin/bash\n");
    const Fd group = memory_file("sandbox:x:" + std::to_string(ids.gid) + ":\n");
    const Fd program = memory_file(seccomp);
    const Fd localtime(open("/etc/localtime", O_RDONLY | O_CLOEXEC));
    Fd status, barrier;
    if (!passwd || !group || !program || !pipe_of(job.status, status) || !pipe_of(barrier, job.go))
        return base::error(Code::resource_exhausted, std::string("the launcher is out of descriptors: ") + std::strerror(errno));
    BwrapDescriptors fds{d.workspace.get(), passwd.get(), group.get(), program.get(), localtime.get(), status.get(), barrier.get(), {}};
    std::vector<int> keep = {passwd.get(), group.get(), program.get(), status.get(), barrier.get()};
    for (const Fd* maybe : std::initializer_list<const Fd*>{&d.workspace, &localtime})
        if (*maybe) keep.push_back(maybe->get());
    for (const Overlay& overlay : overlays) {
        fds.overlays.push_back({overlay.fd.get(), folder_inside(*request) + "/" + overlay.path, overlay.writable});
        keep.push_back(overlay.fd.get());
    }
    const Start start{bwrap_args(*request, fds, ids, present_etc()), keep, d.input.get(), d.output.get(), status.get(),
                      d.workspace.get(), overlays, owner, request->limits, getpid()};
    job.limits = request->limits;
    job.begun = std::chrono::steady_clock::now();
    job.deadline = job.begun + request->limits.wall;
    job.outer = fork();
    if (job.outer == 0) become_bwrap(start);
    if (job.outer < 0) return base::error(Code::resource_exhausted, std::string("the launcher cannot fork: ") + std::strerror(errno));
    job.control = std::move(d.control);
    if (!request->repositories.empty()) job.workspace = std::move(d.workspace), job.root = request->root, job.repositories = std::move(request->repositories);
    fcntl(job.status.get(), F_SETFL, O_NONBLOCK);
    return {};
}

void job_step(Job& job, const CgroupHome& home) {
    read_status(job);
    if (const auto inner = number_in(job.said, "child-pid"); inner && !job.inner) job.inner = pid_t(*inner);
    if (job.inner && !job.started && !job.kill_wanted) {
        job.group = std::make_unique<Cgroup>(home, "hearth-" + std::to_string(getpid()) + "-" + std::to_string(job.outer), job.limits.memory_bytes,
                                             job.limits.processes);
        job.memory_by_group = job.group->add(job.inner) && job.group->limits_memory();
        const rlimit processes{rlim_t(job.limits.processes), rlim_t(job.limits.processes)}, memory{job.limits.memory_bytes, job.limits.memory_bytes};
        prlimit(job.inner, RLIMIT_NPROC, &processes, nullptr);
        if (!job.memory_by_group) prlimit(job.inner, RLIMIT_AS, &memory, nullptr), job.next_look = std::chrono::steady_clock::now() + kLookEvery;
        job.started = write(job.go.get(), "g", 1) == 1;
        job.go = Fd();
    }
    watch_memory(job);
    // Before bubblewrap has named its child, that child would survive it at the barrier.
    if (job.kill_wanted && !job.killed && !job.outer_gone && (job.inner || !job.status)) {
        kill(job.outer, SIGKILL);
        job.killed = true;
    }
}

bool job_over(Job& job) {
    if (!job.outer_gone && waitpid(job.outer, &job.wait_status, WNOHANG) == job.outer) job.outer_gone = true;
    if (!job.outer_gone) return false;
    if (!job.inner) return true;
    // As a subreaper this process inherits pid 1 of the namespace, which ends after all others in it.
    const pid_t reaped = waitpid(job.inner, nullptr, WNOHANG);
    if (reaped == 0) kill(job.inner, SIGKILL);
    return reaped != 0;
}

void disarm_for_the_server(const Job& job) {
    if (job.workspace) GitFolders::unpacked(job.repositories).disarm(job.workspace.get(), job.root);
}

Report job_report(Job& job) {
    Report report;
    read_status(job);  // its last words may have come after the last look and before its end
    const auto now = std::chrono::steady_clock::now();
    report.wall = std::chrono::duration_cast<std::chrono::microseconds>(now - job.begun);
    report.timed_out = job.timed_out;
    report.out_of_memory = job.over_memory || (job.group && job.group->out_of_memory());
    report.memory_by_group = job.memory_by_group;
    const auto code = number_in(job.said, "exit-code");
    const auto exec_errno = number_in(job.said, "exec-errno");
    if (code) report.exit_code = int(*code);
    else if (job.killed || WIFSIGNALED(job.wait_status)) report.exit_code = 128 + SIGKILL;
    else if (exec_errno) report.failure = kBwrap + std::string(": ") + std::strerror(int(*exec_errno));
    else report.failure = "the sandbox could not be set up";
    return report;
}

}  // namespace sandbox
