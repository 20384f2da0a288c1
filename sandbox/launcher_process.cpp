#include "sandbox/launcher_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>

#include "sandbox/job.h"
#include "sandbox/seccomp_filter.h"
#include "sandbox/waiter_program.h"

namespace sandbox {
namespace {

using Clock = std::chrono::steady_clock;

// Sandboxes that wait for a call. Each is four processes that sleep, of 1.3 MB together.
constexpr int kMostSpares = 2;
constexpr std::chrono::milliseconds kAfterAnswer{5};  // the server has the processor first

class Process {
public:
    Process(Fd socket, LauncherOptions options) : socket_(std::move(socket)), options_(options) {
        kit_.home = find_cgroup_home();
        sigset_t children;
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        sigprocmask(SIG_SETMASK, &children, nullptr);
        signal(SIGPIPE, SIG_IGN);
        signals_ = Fd(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
        if (const auto program = seccomp_program({.hidden_memory = !kit_.home.memory.empty()}))
            kit_.seccomp.assign(reinterpret_cast<const char*>(program->data()), program->size() * sizeof(sock_filter));
        else problem_ = program.error();
        kit_.waiter = waiter_program();
        if (!kit_.waiter) problem_ = base::error(base::Code::unavailable, std::string("the sandbox's first program cannot be kept in memory: ") + std::strerror(errno));
    }

    void serve() {
        while (socket_ || !jobs_.empty()) {
            wait();
            if (socket_) accept_requests();
            if (!socket_) for (Job& job : jobs_) job.kill_wanted = true;
            else make_spares();
            for (auto job = jobs_.begin(); job != jobs_.end();) job = advance(*job) ? jobs_.erase(job) : std::next(job);
        }
    }

private:
    void wait() {
        std::vector<pollfd> fds = {{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        Clock::time_point next = wanted_.empty() ? Clock::now() + std::chrono::hours(1) : wanted_.front().first;
        for (const Job& job : jobs_) {
            for (int fd : {job.call && !job.kill_wanted ? job.call->ends.control.get() : -1, job.status.get(), job.waiter.get()}) fds.push_back({fd, POLLIN, 0});
            if (job.kill_wanted) continue;
            if (!job.call) next = std::min(next, *job.spare_until);
            else next = std::min(next, std::min(job.deadline, job.next_look.value_or(job.deadline)));
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
        poll(fds.data(), fds.size(), int(std::clamp<std::int64_t>(left, 0, 3600000)));
        signalfd_siginfo info;
        while (read(signals_.get(), &info, sizeof info) > 0) {}
    }

    void accept_requests() {
        pollfd waiting{socket_.get(), POLLIN, 0};
        while (socket_ && poll(&waiting, 1, 0) > 0) {
            bool closed = false;
            auto descriptors = receive_descriptors(socket_.get(), closed);
            if (closed) socket_ = Fd();
            if (descriptors) start(std::move(*descriptors));
        }
    }

    void start(Descriptors descriptors) {
        Fd control(fcntl(descriptors.control.get(), F_DUPFD_CLOEXEC, 0));
        auto call = problem_ ? base::Result<Call>(*problem_) : read_call(std::move(descriptors));
        if (!call) return refuse(control, call.error());
        Job* const spare = spare_for(call->spec);
        if (spare) give_call(*spare, std::move(*call));
        else start_anew(std::move(*call));
    }

    // One that is still being made is awaited: it began earlier than another would.
    Job* spare_for(const Spec& spec) {
        Job* best = nullptr;
        for (Job& job : jobs_)
            if (!job.call && !job.kill_wanted && !job.outer_gone && job.spec.serves(spec) && (!best || job.ready)) best = &job;
        return best;
    }

    void start_anew(Call call) {
        Job job;
        if (const auto made = make_sandbox(job, call.spec, kit_); !made) return refuse(call.ends.control, made.error());
        give_call(job, std::move(call));
        jobs_.push_back(std::move(job));
    }

    // The sandboxes that next calls of the same kind take. That one cannot be made is nobody's error.
    void make_spares() {
        for (; !wanted_.empty() && Clock::now() >= wanted_.front().first; wanted_.pop_front()) keep_ready(wanted_.front().second);
    }

    void keep_ready(const Spec& spec) {
        Job* oldest = nullptr;
        int spares = 0;
        for (Job& job : jobs_) {
            if (job.call || job.kill_wanted) continue;
            if (job.spec.serves(spec)) return void(job.spare_until = Clock::now() + options_.keep_ready);
            ++spares;
            if (!oldest || *job.spare_until < *oldest->spare_until) oldest = &job;
        }
        if (spares >= kMostSpares) oldest->kill_wanted = true;
        Job job;
        if (!make_sandbox(job, spec, kit_)) return;
        job.spare_until = Clock::now() + options_.keep_ready;
        jobs_.push_back(std::move(job));
    }

    // Whether the job is over and its report sent.
    bool advance(Job& job) {
        char byte = 0;
        if (job.call && !job.kill_wanted && recv(job.call->ends.control.get(), &byte, 1, MSG_DONTWAIT) == 0) job.kill_wanted = true;
        if (!job.kill_wanted && Clock::now() >= (job.call ? job.deadline : *job.spare_until)) job.kill_wanted = true, job.timed_out = bool(job.call);
        job_step(job, kit_);
        if (!job_over(job)) return false;
        if (job.held) kit_.protection.release(*job.held);
        if (!job.call) return true;
        // A spare may have been broken while nobody looked; another is not.
        if (socket_ && job.spare_until && never_began(job)) return start_anew(std::move(*job.call)), true;
        if (!socket_ || left_alone(job)) disarm_for_the_server(job);
        job.call->ends.output = Fd();  // its end is awaited too
        answer(job.call->ends.control, job_report(job));
        if (socket_ && !never_began(job)) wanted_.emplace_back(Clock::now() + kAfterAnswer, job.spec);
        return true;
    }

    // A server that was killed can lose the job's socket before it loses the launcher's.
    static bool left_alone(const Job& job) {
        pollfd control{job.call->ends.control.get(), 0, 0};
        return poll(&control, 1, 0) == 1 && (control.revents & POLLHUP) != 0;
    }

    static void answer(const Fd& control, const Report& report) {
        const std::string bytes = encode(report);
        // Nobody may be waiting any more.
        [[maybe_unused]] const ssize_t sent = send(control.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    static void refuse(const Fd& control, const base::Error& why) {
        Report report;
        report.failure = why.text();
        report.not_found = why.code == base::Code::not_found;
        answer(control, report);
    }

    Fd socket_, signals_;
    const LauncherOptions options_;
    Kit kit_;
    std::optional<base::Error> problem_;
    std::list<Job> jobs_;
    std::deque<std::pair<Clock::time_point, Spec>> wanted_;
};

}  // namespace

void serve_launches(Fd socket, LauncherOptions options) {
    // It lives on when the server is killed, until it has ended what runs: bubblewrap's inner process dies
    // with the outer one only once it is set up.
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    clearenv();
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd : {0, 1, 2}) dup2(nothing, fd);
    // Above the standard three, this process keeps its socket alone.
    const Fd low(fcntl(socket.get(), F_DUPFD_CLOEXEC, 3));
    if (dup2(low.get(), 3) == 3 && low.get() != 3) fcntl(3, F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, 4u, ~0u, 0u);
    Process(Fd(3), options).serve();
    _exit(0);
}

}  // namespace sandbox
