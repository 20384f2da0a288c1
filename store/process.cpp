#include "store/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace store {

base::Result<UserIds> find_user(const std::string& name) {
    const passwd* entry = getpwnam(name.c_str());
    if (!entry)
        return base::error(base::Code::not_found, "there is no user '" + name + "' on this machine", "adduser --system " + name);
    return UserIds{entry->pw_uid, entry->pw_gid};
}

base::Result<ProcessResult> run_process(const std::vector<std::string>& argv, const std::string& user) {
    UserIds ids;
    if (!user.empty()) {
        auto found = find_user(user);
        if (!found) return std::move(found).error();
        ids = *found;
    }
    std::vector<char*> args;
    for (const auto& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8";
    char* environment[] = {path, locale, nullptr};
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return base::error(base::Code::io, std::string("pipe: ") + std::strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(pipe_ends[1], 1);
        dup2(pipe_ends[1], 2);
        // A daemon that is started here must not keep our sockets open after our own end.
        syscall(SYS_close_range, 3u, ~0u, 0u);
        if (!user.empty() && (setgroups(0, nullptr) != 0 || setgid(ids.gid) != 0 || setuid(ids.uid) != 0)) _exit(126);
        if (chdir("/") != 0) _exit(126);
        execve(args[0], args.data(), environment);
        _exit(127);
    }
    close(pipe_ends[1]);
    if (child < 0) {
        close(pipe_ends[0]);
        return base::error(base::Code::resource_exhausted, std::string("fork: ") + std::strerror(errno));
    }
    ProcessResult out;
    char buffer[4096];
    for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        if (out.output.size() < (1 << 16)) out.output.append(buffer, std::size_t(n));
    }
    close(pipe_ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return out;
}

}  // namespace store
