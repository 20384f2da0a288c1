#include "sandbox/job.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "sandbox/beneath.h"
#include "sandbox/binder.h"
#include "sandbox/bwrap_args.h"
#include "sandbox/git_folders.h"
#include "sandbox/memory_watch.h"
#include "sandbox/passing.h"

namespace sandbox {
namespace {

using base::Code;
using Clock = std::chrono::steady_clock;
constexpr const char* kBwrap = "/usr/bin/bwrap";
constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::size_t kMostComplaint = 500;

void limit(int which, std::uint64_t value) {
    const rlimit both{value, value};
    setrlimit(__rlimit_resource(which), &both);
}

// What the child needs on its way to being bubblewrap.
struct Start {
    std::vector<std::string> words;
    std::vector<int> keep;  // stay open
    int complaint, status;
    const Spec& spec;
    pid_t launcher;
};

// From root to the owner of the workspace; nobody else can change who he is.
bool lower(const Owner& owner) {
    if (geteuid() != 0) return true;
    return setgroups(0, nullptr) == 0 &&
           (owner.uid == 0 || (setresgid(owner.gid, owner.gid, owner.gid) == 0 && setresuid(owner.uid, owner.uid, owner.uid) == 0));
}

// The signals of a program, and death with the launcher. After the last change of credentials, which would take it back.
bool as_child_of(pid_t launcher) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == launcher;
}

// In the child, a process with one CPU thread.
[[noreturn]] void become_bwrap(const Start& start) {
    dup2(start.complaint, 1);
    dup2(start.complaint, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, start.spec.limits.file_bytes);
    limit(RLIMIT_NOFILE, std::uint64_t(start.spec.limits.open_files));
    const bool lowered = lower(start.spec.owner);
    syscall(SYS_close_range, 3u, ~0u, unsigned(CLOSE_RANGE_CLOEXEC));
    for (int fd : start.keep) fcntl(fd, F_SETFD, 0);
    std::vector<char*> argv;
    for (const std::string& word : start.words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    // An empty environment: bubblewrap's own pid 1 would keep, and show, whatever it was given.
    char* const nothing[] = {nullptr};
    // Bubblewrap sets its own wish to die late.
    if (!as_child_of(start.launcher)) _exit(126);
    if (lowered) execve(kBwrap, argv.data(), nothing);
    dprintf(start.status, "{ \"exec-errno\": %d }\n", errno);
    _exit(127);
}

void keep_only(std::vector<int> fds) {
    std::sort(fds.begin(), fds.end());
    unsigned next = 3;
    for (int fd : fds) {
        if (unsigned(fd) > next) syscall(SYS_close_range, next, unsigned(fd) - 1, 0u);
        next = unsigned(fd) + 1;
    }
    syscall(SYS_close_range, next, ~0u, 0u);
}

// In the child, a process with one CPU thread. What other calls have open must not live on here.
[[noreturn]] void become_binder(const Job& job, int socket, pid_t launcher) {
    const int waiter = job.waiter.get(), complain = job.complain.get();
    keep_only({socket, waiter, complain});
    if (!lower(job.spec.owner) || !as_child_of(launcher)) _exit(126);
    serve_call(socket, waiter, complain);
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
    if (const auto inner = number_in(job.said, "child-pid"); inner && !job.inner) job.inner = pid_t(*inner);
}

void pass_barrier(Job& job, const CgroupHome& home) {
    if (!job.inner || job.started || job.kill_wanted) return;
    const Limits& limits = job.spec.limits;
    job.group = std::make_unique<Cgroup>(home, "hearth-" + std::to_string(getpid()) + "-" + std::to_string(job.outer), limits.memory_bytes, limits.processes);
    job.memory_by_group = job.group->add(job.inner) && job.group->limits_memory();
    const rlimit processes{rlim_t(limits.processes), rlim_t(limits.processes)}, memory{limits.memory_bytes, limits.memory_bytes};
    prlimit(job.inner, RLIMIT_NPROC, &processes, nullptr);
    if (!job.memory_by_group) prlimit(job.inner, RLIMIT_AS, &memory, nullptr);
    job.started = write(job.go.get(), "g", 1) == 1;
    job.go = Fd();
}

void hear_waiter(Job& job) {
    pollfd socket{job.waiter.get(), POLLIN, 0};
    while (job.waiter && poll(&socket, 1, 0) > 0) {
        int mounts[kMostPassed] = {-1};
        char byte = 0;
        const int count = take_descriptors(job.waiter.get(), byte, mounts, MSG_DONTWAIT);
        if (count < 0) job.waiter = Fd();
        if (count == 1) job.mounts = Fd(mounts[0]), job.ready = true;
        if (byte == 'b') job.program_began = true;
        if (byte == 'x') job.failed = job.kill_wanted = true;
    }
}

void hand_over(Job& job, Protection& protection) {
    const Call& call = *job.call;
    const int workspace = call.ends.workspace.get();
    job.handed_over = true;
    if (!job.memory_by_group) job.next_look = Clock::now() + kLookEvery;
    bool told = tell_binder(job.binding.get(), call.ends, job.mounts.get());
    if (workspace >= 0 && !call.request.read_only) {
        const bool narrowed = !call.request.writable.empty();
        for (const std::string& path : call.request.writable)
            open_folder(workspace, path, job.overlays);
        for (Overlay& held : protection.hold(workspace, job.held.emplace())) {
            held.writable = held.writable && !narrowed;
            job.overlays.push_back(std::move(held));
        }
    }
    for (const std::string& path : call.request.held) hold_present(workspace, path, job.overlays);
    told = told && tell_binder(job.binding.get(), job.overlays);
    if (!told) job.failed = job.kill_wanted = true;
    // Mount points in a namespace that is still alive are slow to remove.
    job.mounts = Fd();
}

void reap_binder(Job& job) {
    int status = 0;
    if (!job.binder || waitpid(job.binder, &status, WNOHANG) != job.binder) return;
    job.binder = 0;
    job.overlays.clear();
    if (status != 0 && !job.kill_wanted) job.failed = job.kill_wanted = true;
}

void watch(Job& job) {
    if (!job.next_look || job.kill_wanted || Clock::now() < *job.next_look) return;
    job.over_memory = uses_more_memory(job.inner, job.spec.limits.memory_bytes);
    job.kill_wanted = job.over_memory || has_more_processes(job.inner, job.spec.limits.processes);
    job.next_look = Clock::now() + kLookEvery;
}

// Of a job whose program never began, so that this is of bubblewrap, the waiter and the binder alone.
std::string complaint_of(const Job& job) {
    char buffer[kMostComplaint];
    const ssize_t n = read(job.complaint.get(), buffer, sizeof buffer);
    return n > 0 ? ": " + std::string(buffer, std::size_t(n)) : "";
}

}  // namespace

std::optional<long> number_in(const std::string& documents, const std::string& key) {
    const std::size_t at = documents.find("\"" + key + "\":");
    if (at == std::string::npos) return std::nullopt;
    return std::strtol(documents.c_str() + at + key.size() + 3, nullptr, 10);
}

base::Result<Call> read_call(Descriptors d) {
    auto request = decode_request(read_file(d.request.get()));
    if (!request) return base::error(Code::internal, "the request for the launcher cannot be read");
    if (auto good = check(*request); !good) return good.error();
    Spec spec = spec_for(request->limits, d.workspace.get());
    return Call{std::move(*request), std::move(d), std::move(spec)};
}

base::Result<void> make_sandbox(Job& job, const Spec& spec, const Kit& kit) {
    const InsideIds ids;
    const Fd passwd = memory_file("sandbox:x:" + std::to_string(ids.uid) + ":" + std::to_string(ids.gid) + ":sandbox:/tmp:/bin/bash\n");
    const Fd group = memory_file("sandbox:x:" + std::to_string(ids.gid) + ":\n");
    const Fd seccomp = memory_file(kit.seccomp);
    const Fd localtime(open("/etc/localtime", O_RDONLY | O_CLOEXEC));
    Fd status, barrier, waiter, binding;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) job.waiter = Fd(ends[0]), waiter = Fd(ends[1]);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) job.binding = Fd(ends[0]), binding = Fd(ends[1]);
    if (!passwd || !group || !seccomp || !waiter || !binding || !pipe_of(job.status, status) || !pipe_of(barrier, job.go) || !pipe_of(job.complaint, job.complain))
        return base::error(Code::resource_exhausted, std::string("the launcher is out of descriptors: ") + std::strerror(errno));
    const BwrapDescriptors fds{passwd.get(), group.get(), seccomp.get(), localtime.get(), status.get(), barrier.get()};
    std::vector<int> keep = {passwd.get(), group.get(), seccomp.get(), status.get(), barrier.get(), waiter.get(), kit.waiter.get()};
    if (localtime) keep.push_back(localtime.get());
    const std::vector<std::string> program = {"/proc/self/fd/" + std::to_string(kit.waiter.get()), std::to_string(waiter.get())};
    const Start start{bwrap_args(fds, ids, spec.limits.tmp_bytes, present_etc(), program), keep, job.complain.get(), status.get(), spec, getpid()};
    job.spec = spec;
    job.outer = fork();
    if (job.outer == 0) become_bwrap(start);
    if (job.outer < 0) return base::error(Code::resource_exhausted, std::string("the launcher cannot fork: ") + std::strerror(errno));
    job.binder = fork();
    if (job.binder == 0) become_binder(job, binding.get(), start.launcher);
    if (job.binder < 0) job.binder = 0, job.failed = job.kill_wanted = true;
    fcntl(job.status.get(), F_SETFL, O_NONBLOCK);
    fcntl(job.complaint.get(), F_SETFL, O_NONBLOCK);
    return {};
}

void give_call(Job& job, Call call) {
    job.was_ready = job.ready;
    job.begun = Clock::now();
    job.deadline = job.begun + call.request.limits.wall;
    job.call = std::move(call);
}

void job_step(Job& job, Kit& kit) {
    read_status(job);
    pass_barrier(job, kit.home);
    hear_waiter(job);
    reap_binder(job);
    if (job.call && job.ready && !job.handed_over && !job.kill_wanted) hand_over(job, kit.protection);
    watch(job);
    if (job.kill_wanted && job.binder) kill(job.binder, SIGKILL);
    // Before bubblewrap has named its child, that child would survive it at the barrier.
    if (job.kill_wanted && !job.killed && !job.outer_gone && (job.inner || !job.status)) {
        kill(job.outer, SIGKILL);
        job.killed = true;
    }
}

bool job_over(Job& job) {
    if (!job.outer_gone && waitpid(job.outer, nullptr, WNOHANG) == job.outer) job.outer_gone = true;
    if (job.outer_gone) job.binding = Fd();  // the binder need not wait for a call any more
    if (!job.outer_gone || job.binder) return false;
    hear_waiter(job);  // its last word may have come after the last look
    if (!job.inner) return true;
    // As a subreaper this process inherits pid 1 of the namespace, which ends after all others in it.
    const pid_t reaped = waitpid(job.inner, nullptr, WNOHANG);
    if (reaped == 0) kill(job.inner, SIGKILL);
    return reaped != 0;
}

bool never_began(const Job& job) { return job.failed || (!job.program_began && !job.kill_wanted); }

void disarm_for_the_server(const Job& job) {
    const Call& call = *job.call;
    if (!call.request.repositories.empty()) GitFolders::unpacked(call.request.repositories).disarm(call.ends.workspace.get(), call.request.root);
}

Report job_report(Job& job) {
    Report report;
    read_status(job);  // its last words may have come after the last look and before its end
    report.wall = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - job.begun);
    report.timed_out = job.timed_out;
    report.out_of_memory = job.over_memory || (job.group && job.group->out_of_memory());
    report.memory_by_group = job.memory_by_group;
    report.was_ready = job.was_ready;
    const auto code = number_in(job.said, "exit-code");
    const auto exec_errno = number_in(job.said, "exec-errno");
    if (!never_began(job)) report.exit_code = code ? int(*code) : 128 + SIGKILL;
    else if (exec_errno) report.failure = kBwrap + std::string(": ") + std::strerror(int(*exec_errno));
    else report.failure = "the sandbox could not be set up" + complaint_of(job);
    return report;
}

}  // namespace sandbox
