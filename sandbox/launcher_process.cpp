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
#include <cstdlib>
#include <list>

#include "sandbox/job.h"
#include "sandbox/seccomp_filter.h"

namespace sandbox {
namespace {

using Clock = std::chrono::steady_clock;

class Process {
public:
    explicit Process(Fd socket) : socket_(std::move(socket)), home_(find_cgroup_home()) {
        sigset_t children;
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        sigprocmask(SIG_SETMASK, &children, nullptr);
        signal(SIGPIPE, SIG_IGN);
        signals_ = Fd(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
        if (const auto program = seccomp_program({.hidden_memory = !home_.memory.empty()}))
            seccomp_.assign(reinterpret_cast<const char*>(program->data()), program->size() * sizeof(sock_filter));
        else problem_ = program.error();
    }

    void serve() {
        while (socket_ || !jobs_.empty()) {
            wait();
            if (socket_) accept_requests();
            if (!socket_) for (Job& job : jobs_) job.kill_wanted = true;
            for (auto job = jobs_.begin(); job != jobs_.end();) job = advance(*job) ? jobs_.erase(job) : std::next(job);
        }
    }

private:
    void wait() {
        std::vector<pollfd> fds = {{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        Clock::time_point next = Clock::now() + std::chrono::hours(1);
        for (const Job& job : jobs_) {
            fds.push_back({job.kill_wanted ? -1 : job.control.get(), POLLIN, 0});
            fds.push_back({job.status.get(), POLLIN, 0});
            if (!job.kill_wanted) next = std::min(next, std::min(job.deadline, job.next_look.value_or(job.deadline)));
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
        Job job;
        Fd control(fcntl(descriptors.control.get(), F_DUPFD_CLOEXEC, 0));
        const auto begun = problem_ ? base::Result<void>(*problem_) : start_job(job, std::move(descriptors), protection_, seccomp_);
        if (begun) return void(jobs_.push_back(std::move(job)));
        if (job.held) protection_.release(*job.held);
        Report report;
        report.failure = begun.error().text();
        report.not_found = begun.error().code == base::Code::not_found;
        answer(control, report);
    }

    // Whether the job is over and its report sent.
    bool advance(Job& job) {
        char byte = 0;
        if (!job.kill_wanted && recv(job.control.get(), &byte, 1, MSG_DONTWAIT) == 0) job.kill_wanted = true;
        if (!job.kill_wanted && Clock::now() >= job.deadline) job.kill_wanted = job.timed_out = true;
        job_step(job, home_);
        if (!job_over(job)) return false;
        if (job.held) protection_.release(*job.held);
        if (!socket_ || left_alone(job)) disarm_for_the_server(job);
        answer(job.control, job_report(job));
        return true;
    }

    // A server that was killed can lose the job's socket before it loses the launcher's.
    static bool left_alone(const Job& job) {
        pollfd control{job.control.get(), 0, 0};
        return poll(&control, 1, 0) == 1 && (control.revents & POLLHUP) != 0;
    }

    static void answer(const Fd& control, const Report& report) {
        const std::string bytes = encode(report);
        // Nobody may be waiting any more.
        [[maybe_unused]] const ssize_t sent = send(control.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    Fd socket_, signals_;
    CgroupHome home_;
    std::string seccomp_;
    std::optional<base::Error> problem_;
    Protection protection_;
    std::list<Job> jobs_;
};

}  // namespace

void serve_launches(Fd socket) {
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
    Process(Fd(3)).serve();
    _exit(0);
}

}  // namespace sandbox
