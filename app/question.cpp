#include "app/question.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "app/client.h"

namespace app {

base::Result<std::string> read_input(int fd, const std::function<void()>& waiting) {
    using Clock = std::chrono::steady_clock;
    const auto patience = Clock::now() + std::chrono::seconds(2);
    std::string out;
    bool told = !waiting;
    char bytes[65536];
    while (!interrupted) {
        // In short waits: a signal that came just before poll does not end it.
        pollfd readable{fd, POLLIN, 0};
        const int ready = ::poll(&readable, 1, 100);
        if (ready == 0 && !told && out.empty() && Clock::now() > patience) {
            waiting();
            told = true;
        }
        if (ready <= 0) continue;
        const ssize_t n = ::read(fd, bytes, sizeof bytes);
        if (n == 0 || (n < 0 && errno == EBADF)) break;
        if (n < 0 && errno != EINTR && errno != EAGAIN) return base::error(base::Code::io, std::string("cannot read standard input: ") + std::strerror(errno), "< /dev/null leaves it out");
        if (n > 0) out.append(bytes, std::size_t(n));
    }
    return out;
}

std::string joined_question(const std::string& argument, const std::string& piped) {
    if (piped.find_first_not_of(" \t\r\n") == piped.npos) return argument;
    return argument.empty() ? piped : argument + "\n\n" + piped;
}

}  // namespace app
