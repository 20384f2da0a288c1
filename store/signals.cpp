#include "store/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "store/connection.h"

namespace store {
namespace {

constexpr const char* kChannel = "hearth";
constexpr std::pair<Signal::Kind, std::string_view> kNames[] = {
    {Signal::Kind::stop, "stop"}, {Signal::Kind::input, "input"}, {Signal::Kind::work, "work"}, {Signal::Kind::told, "told"}, {Signal::Kind::rules, "rules"}};

std::string payload_of(const Signal& signal) {
    for (const auto& [kind, name] : kNames)
        if (kind == signal.kind) return std::string(name) + " " + signal.run.text();
    throw std::logic_error("a signal that nobody sends");
}

constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{5000};  // until the next attempt to connect

std::optional<Signal> parse(const std::string& payload) {
    const auto blank = payload.find(' ');
    if (blank == std::string::npos) return std::nullopt;
    for (const auto& [kind, name] : kNames) {
        if (payload.compare(0, blank, name) != 0) continue;
        const auto run = base::RunId::parse(payload.substr(blank + 1));
        return run ? std::optional(Signal{kind, *run}) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

void send_signal(Tx& tx, const Signal& signal) { tx.send("select pg_notify($1, $2)", {kChannel, payload_of(signal)}); }

void send_signal_if(Tx& tx, const Signal& signal, const std::string& condition, std::vector<Param> parameters) {
    parameters.insert(parameters.begin(), {kChannel, payload_of(signal)});
    tx.send("select pg_notify($1, $2) where " + condition, std::move(parameters));
}

struct SignalListener::Thread {
    Thread(std::string to, base::Log& l, std::function<void(const Signal&)> sink)
        : url(std::move(to)), log(l), heard(std::move(sink)), ended(eventfd(0, EFD_CLOEXEC)) {
        if (ended < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
        thread = std::thread([this] { run(); });
    }
    ~Thread() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = write(ended, &one, sizeof one);
        thread.join();
        close(ended);
    }

    void run() {
        bool told = false;
        for (auto pause = kFirstPause; !over(-1, 0); pause = std::min(2 * pause, kLongestPause)) {
            try {
                Connection connection(url);
                connection.script(std::string("listen ") + kChannel);
                told = false;
                pause = kFirstPause;
                tell({Signal::Kind::missed, {}});
                listen(connection);
            } catch (const std::exception& e) {
                if (!std::exchange(told, true)) log.warn("signals of other processes are not heard", {{"reason", e.what()}});
            }
            if (over(-1, int(pause.count()))) return;
        }
    }

    void listen(Connection& connection) {
        while (!over(connection.descriptor(), -1))
            for (const Notice& notice : connection.notices())
                if (const auto signal = parse(notice.payload)) tell(*signal);
    }

    void tell(const Signal& signal) {
        try {
            heard(signal);
        } catch (const std::exception& e) {
            log.error("a signal was not acted on", {{"run", signal.run.text()}, {"reason", e.what()}});
        }
    }

    // Waits for the descriptor or the end; whether it is the end. Milliseconds; -1: as long as it takes.
    bool over(int descriptor, int milliseconds) const {
        pollfd waited[] = {{ended, POLLIN, 0}, {descriptor, POLLIN, 0}};
        const bool something = poll(waited, 2, milliseconds) > 0;
        return something && waited[0].revents != 0;
    }

    std::string url;
    base::Log& log;
    std::function<void(const Signal&)> heard;
    int ended;  // readable at the end
    std::thread thread;
};

SignalListener::SignalListener(std::string url, base::Log& log, std::function<void(const Signal&)> heard)
    : thread_(std::make_unique<Thread>(std::move(url), log, std::move(heard))) {}
SignalListener::~SignalListener() = default;

}  // namespace store
