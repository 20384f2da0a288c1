// The log: lines on standard error through spdlog, and the last entries in memory for /logs.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"

namespace spdlog {
class logger;
}

namespace net {

class LogSink final : public base::Log {
public:
    // `json`: one JSON object a line; else "time level event key=value …".
    LogSink(base::Level least, bool json, std::size_t kept = 2000);
    ~LogSink() override;
    void write(base::Level level, std::string_view event, const base::Json& fields) override;

    // Newest last; entries of at least `least`, at most `limit`.
    base::Json recent(base::Level least, int limit) const;

private:
    std::shared_ptr<spdlog::logger> out_;
    const base::Level least_;
    const bool json_;
    const std::size_t kept_;
    mutable std::mutex mutex_;
    std::deque<base::Json> entries_;  // {"time", "level", "event", "fields"}
};

std::string_view name(base::Level level);
base::Level parse_level(std::string_view name);  // unknown: info

}  // namespace net
