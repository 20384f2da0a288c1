#include "sandbox/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

#include "sandbox/git_folders.h"
#include "sandbox/kept_output.h"
#include "sandbox/launcher_process.h"
#include "sandbox/paths.h"
#include "sandbox/wire.h"

namespace sandbox {
namespace {

using base::Code;
using Clock = std::chrono::steady_clock;

// Tried at the start: what must not work inside. Prints the name of what does.
constexpr const char* kCanary = R"sh(
grep -q '^CapEff:.0000000000000000$' /proc/self/status || echo capabilities
grep -q '^NoNewPrivs:.1$' /proc/self/status || echo new privileges
grep -q '^Seccomp:.2$' /proc/self/status || echo system calls
grep -q : /proc/net/dev && grep : /proc/net/dev | grep -qv ' lo:' && echo network
unshare -U true 2>/dev/null && echo namespaces
(: > /etc/hearth) 2>/dev/null && echo file system
[ "$(tr -d '\0' < /proc/1/environ | wc -c)" = 0 ] || echo environment
exit 0
)sh";

std::vector<std::string> masks_in(const Workspace& workspace) {
    std::vector<std::string> out;
    for (const auto& folder : workspace.masked())
        if (lies_in(folder, workspace.root())) out.push_back(folder.lexically_relative(workspace.root()).string());
    return out;
}

std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n') c = ' ';
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

// What a kernel setting says; -1 when it has none of this name.
long setting_of(const char* path) {
    long value = -1;
    std::ifstream(path) >> value;
    return value;
}

// How the level that programs need is reached here.
std::string remedy_for(const std::string& why) {
    const auto says = [&](const char* text) { return why.find(text) != std::string::npos; };
    if (access("/usr/bin/bwrap", F_OK) != 0) return "apt-get install bubblewrap, then restart hearth";
    if (setting_of("/proc/sys/user/max_user_namespaces") == 0) return "allow user namespaces: sysctl -w user.max_user_namespaces=15000, then restart hearth";
    if (setting_of("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1, then restart hearth";
    if (setting_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "allow user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, then restart hearth";
    if (says("namespace") || says("uid map") || says("Operation not permitted"))
        return "allow unprivileged user namespaces (in a container: its security profile), then restart hearth";
    return "mend what is named here, then restart hearth";
}

// The ends that the server keeps of one run.
struct Ends {
    Fd control, output, stopped;
};

class ProcessLauncher final : public Launcher {
public:
    ProcessLauncher(Fd socket, pid_t process) : socket_(std::move(socket)), process_(process) {}
    ~ProcessLauncher() override {
        if (has_ended()) (void)died();
    }

    base::Result<Outcome> run(const Command& command, Level required, base::StopToken stop) override {
        if (required > level_)
            return base::error(Code::permission_denied, "programs need sandbox level " + std::string(name(required)) + ", this machine reaches " +
                                                            std::string(name(level_)) + (why_.empty() ? "" : ": " + why_),
                               "hearth doctor says what to mend");
        auto outcome = launch(command, stop);
        look_after(outcome);
        return outcome;
    }
    Level level() const override { return level_; }
    base::Probes probes() const override;

    // Finds the level by running the canaries.
    void find_level() {
        Command canary;
        canary.argv = {"sh", "-c", kCanary};
        canary.limits.wall = std::chrono::seconds(10);
        const auto outcome = launch(canary, {});
        if (!outcome) why_ = one_line(outcome.error().message);
        else if (outcome->exit_code != 0 || !outcome->output.empty()) why_ = "inside, these are open: " + outcome->output;
        else level_ = Level::t2;
        grouped_ = outcome && outcome->memory_by_group;
    }

private:
    base::Result<Outcome> launch(const Command& command, const base::StopToken& stop);
    base::Result<Ends> send_request(const Command& command, const std::string& folder, const GitFolders* repositories);
    base::Result<Outcome> watch(Ends ends, const Command& command, const base::StopToken& stop);
    // Of a program that could not be started: whether none can be any more. What a run's limits were held by is told anew.
    void look_after(const base::Result<Outcome>& outcome) {
        if (outcome) grouped_ = outcome->memory_by_group;
        if (dead_ || (!outcome && outcome.error().code != Code::unavailable)) return;
        std::string trouble;
        if (!outcome) {
            Command plain;
            plain.argv = {"true"};
            if (const auto tried = launch(plain, {}); !tried) trouble = one_line(tried.error().message);
        }
        const std::lock_guard lock(mutex_);
        trouble_ = std::move(trouble);
    }
    std::string trouble() const {
        const std::lock_guard lock(mutex_);
        return trouble_;
    }
    bool has_ended() const {
        siginfo_t about{};
        return !dead_ && waitid(P_PID, id_t(process_), &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == process_;
    }
    base::Error died() {
        if (!dead_.exchange(true)) {
            // A launcher that was killed leaves those of bubblewrap's inner processes that had not come far enough to die
            // with it. They are in its group still, whose number is not given away before the launcher is reaped.
            kill(-process_, SIGKILL);
            waitpid(process_, nullptr, 0);
        }
        return base::error(Code::unavailable, "the launcher process has died, so that no program is run", "restart hearth");
    }

    Fd socket_;
    const pid_t process_;
    GitGuard guard_;
    Level level_ = Level::t0;
    std::atomic<bool> grouped_{false};
    std::string why_;
    mutable std::mutex mutex_;
    std::string trouble_;  // why no program can be started any more
    std::atomic<bool> dead_{false};
};

base::Result<Outcome> ProcessLauncher::launch(const Command& command, const base::StopToken& stop) {
    if (dead_) return died();
    if (command.argv.empty()) return base::error(Code::invalid_argument, "the command is empty");
    if (stop.stopped()) return stop.error("the command");
    std::string folder = ".";
    if (!command.working_directory.empty()) {
        auto relative = relative_path(command.workspace ? command.workspace->root() : "/workspace", command.working_directory);
        if (!relative) return relative.error();
        folder = *relative;
    }
    const bool writes = command.workspace && command.workspace->access() == Workspace::Access::read_write;
    const auto repositories = writes ? guard_.enter(*command.workspace, masks_in(*command.workspace)) : nullptr;
    auto ends = send_request(command, folder, repositories ? repositories->before.get() : nullptr);
    if (!ends) return ends.error();
    auto outcome = watch(std::move(*ends), command, stop);
    if (!repositories) return outcome;
    const std::lock_guard alone(repositories->lock);
    std::vector<std::string> disarmed = repositories->before->disarm(command.workspace->fd(), command.workspace->root());
    if (outcome) outcome->disarmed = std::move(disarmed);
    return outcome;
}

base::Result<Ends> ProcessLauncher::send_request(const Command& command, const std::string& folder, const GitFolders* repositories) {
    Request request{Level::t2, command.argv, folder, "", false, {}, {}, {}, "", command.limits};
    if (repositories) request.held = repositories->held(), request.repositories = repositories->packed();
    Descriptors theirs;
    if (command.workspace) {
        request.root = command.workspace->root().string();
        request.read_only = command.workspace->access() == Workspace::Access::read_only;
        request.writable = command.workspace->writable();
        request.masked = masks_in(*command.workspace);
        theirs.workspace = Fd(fcntl(command.workspace->fd(), F_DUPFD_CLOEXEC, 0));
    }
    Ends ours;
    int output[2], control[2];
    ours.stopped = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (pipe2(output, O_CLOEXEC) == 0) ours.output = Fd(output[0]), theirs.output = Fd(output[1]);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0) ours.control = Fd(control[0]), theirs.control = Fd(control[1]);
    theirs.request = memory_file(encode(request));
    theirs.input = command.stdin_text.empty() ? Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)) : memory_file(command.stdin_text);
    theirs.environment = memory_file(command.environment ? command.environment->reveal() : std::string_view());
    if (!ours.stopped || !ours.output || !ours.control || !theirs.request || !theirs.input || !theirs.environment || (command.workspace && !theirs.workspace))
        return base::error(Code::resource_exhausted, std::string("no descriptor left to start a program: ") + std::strerror(errno), "raise the open-file limit");
    fcntl(ours.output.get(), F_SETFL, O_NONBLOCK);
    if (!send_descriptors(socket_.get(), theirs)) return died();
    return ours;
}

// Reads until the report is there and the output has ended; asks for the death of the program on
// stop, deadline of the token, and too much output.
base::Result<Outcome> ProcessLauncher::watch(Ends ends, const Command& command, const base::StopToken& stop) {
    const auto guard = stop.on_stop([fd = ends.stopped.get()] { eventfd_write(fd, 1); });
    KeptOutput kept(command.limits.output_bytes);
    std::optional<Report> report;
    bool asked = false;
    std::vector<char> buffer(64 << 10);
    while (!report || ends.output) {
        pollfd fds[] = {{ends.control.get(), POLLIN, 0}, {ends.output.get(), POLLIN, 0}, {asked ? -1 : ends.stopped.get(), POLLIN, 0}};
        if (report) fds[0].fd = -1;
        int wait = -1;
        if (const auto deadline = stop.deadline(); deadline && !asked)
            wait = int(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count(), 0, 3600000));
        poll(fds, 3, wait);
        const ssize_t n = fds[1].revents ? read(ends.output.get(), buffer.data(), buffer.size()) : -1;
        if (n > 0) kept.add({buffer.data(), std::size_t(n)});
        if (fds[1].revents && n == 0) ends.output = Fd();
        if (!asked && (stop.stopped() || kept.total() > command.limits.drain_bytes)) asked = shutdown(ends.control.get(), SHUT_WR) == 0;
        if (!fds[0].revents) continue;
        const ssize_t size = recv(ends.control.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) return died();
        report = decode_report(std::string(buffer.data(), std::size_t(size)));
        if (!report) return base::error(Code::internal, "the launcher's report cannot be read");
    }
    Outcome out;
    out.output = kept.text();
    if (!report->failure.empty()) return base::error(report->not_found ? Code::not_found : Code::unavailable, report->failure);
    out.exit_code = report->exit_code;
    out.timed_out = report->timed_out || stop.reason() == base::StopReason::deadline;
    out.cancelled = !out.timed_out && stop.reason() == base::StopReason::cancelled;
    out.out_of_memory = report->out_of_memory;
    out.memory_by_group = report->memory_by_group;
    out.was_ready = report->was_ready;
    out.output_cut = kept.cut();
    out.output_bytes = kept.total();
    out.wall = std::chrono::duration_cast<std::chrono::milliseconds>(report->wall);
    out.level = level_;
    return out;
}

base::Probes ProcessLauncher::probes() const {
    if (dead_ || has_ended()) return {{"sandbox level", base::Health::failed, "the launcher process has died", "restart hearth"}};
    if (const std::string why = trouble(); !why.empty()) return {{"sandbox level", base::Health::failed, "programs are refused: " + why, remedy_for(why)}};
    if (level_ == Level::t2)
        return {{"sandbox level", base::Health::ok,
                 std::string("T2: namespaces, seccomp, limits; memory of all processes of a run: ") +
                     (grouped_ ? "by control group" : "looked at every 50 ms, since no control group can be made here"), ""}};
    return {{"sandbox level", base::Health::failed, std::string(name(level_)) + ": read-only file tools; " + why_,
             remedy_for(why_)}};
}

}  // namespace

base::Result<std::unique_ptr<Launcher>> Launcher::start(LauncherOptions options) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return base::error(Code::unavailable, std::string("the launcher's socket cannot be made: ") + std::strerror(errno));
    Fd ours(ends[0]), theirs(ends[1]);
    const pid_t child = fork();
    if (child < 0) return base::error(Code::unavailable, std::string("the launcher process cannot be forked: ") + std::strerror(errno));
    if (child == 0) {
        ours = Fd();
        serve_launches(std::move(theirs), options);
    }
    theirs = Fd();
    auto launcher = std::make_unique<ProcessLauncher>(std::move(ours), child);
    launcher->find_level();
    return std::unique_ptr<Launcher>(std::move(launcher));
}

}  // namespace sandbox
