#include "app/lines.h"

#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "app/client.h"

namespace app {
namespace {

enum class Input { there, none, interrupted };
Input await_input(const timespec* longest) {
    sigset_t held, before;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    int ready = 0;
    while (!interrupted && (ready = ppoll(&input, 1, longest, &before)) < 0 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return interrupted ? Input::interrupted : ready == 0 ? Input::none : Input::there;
}

}  // namespace

Lines::Got Lines::next(std::string& line) { return next(line, {}, {}); }

Lines::Got Lines::next(std::string& line, std::chrono::milliseconds each, const std::function<bool()>& is_over) {
    const timespec longest{each.count() / 1000, each.count() % 1000 * 1000000};
    for (;;) {
        if (const std::size_t end = waiting_.find('\n'); end != waiting_.npos) {
            line = waiting_.substr(0, end);
            waiting_.erase(0, end + 1);
            return Got::line;
        }
        if (ended_) {
            line = std::exchange(waiting_, {});
            return line.empty() ? Got::end : Got::line;
        }
        const Input input = await_input(is_over ? &longest : nullptr);
        if (input == Input::interrupted) return Got::interruption;
        if (input == Input::none) {
            if (is_over()) return Got::over;
            continue;
        }
        char bytes[4096];
        const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n > 0) waiting_.append(bytes, std::size_t(n));
        ended_ = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    }
}

void Lines::forget() {
    waiting_.clear();
    tcflush(STDIN_FILENO, TCIFLUSH);
}

}  // namespace app
