// The log: lines on standard error through spdlog, and the last entries in memory for /logs.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/redact.h"

namespace spdlog {
class logger;
}

namespace net {

class LogSink final : public base::Log {
public:
    // `json`: one JSON object a line; else "time level event key=value …". What `redactor` knows, and whatever looks like
    // a key, reaches neither the lines nor the memory.
    LogSink(base::Level least, bool json, std::size_t kept = 2000,
            std::shared_ptr<const base::Redactor> redactor = std::make_shared<base::Redactor>());
    ~LogSink() override;
    void write(base::Level level, std::string_view event, const base::Json& fields) override;

    // Newest last; entries of at least `least`, at most `limit`.
    base::Json recent(base::Level least, int limit) const;

private:
    std::shared_ptr<spdlog::logger> out_;
    const base::Level least_;
    const bool json_;
    const std::size_t kept_;
    const std::shared_ptr<const base::Redactor> redactor_;
    mutable std::mutex mutex_;
    std::deque<base::Json> entries_;  // {"time", "level", "event", "fields"}
};

std::string_view name(base::Level level);
base::Level parse_level(std::string_view name);  // unknown: info

}  // namespace net
