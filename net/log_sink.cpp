#include "net/log_sink.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/visible.h"

namespace net {
namespace {

spdlog::level::level_enum level_of(base::Level level) {
    switch (level) {
        case base::Level::debug: return spdlog::level::debug;
        case base::Level::info: return spdlog::level::info;
        case base::Level::warn: return spdlog::level::warn;
        case base::Level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string line_of(std::string_view event, const base::Json& fields) {
    std::string out(event);
    for (const auto& [key, value] : fields.items()) out += " " + key + "=" + (value.is_string() ? value.get<std::string>() : base::dump(value));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 32) c = ' ';  // one entry, one line
    return base::visible(out);
}

}  // namespace

std::string_view name(base::Level level) {
    switch (level) {
        case base::Level::debug: return "debug";
        case base::Level::info: return "info";
        case base::Level::warn: return "warn";
        case base::Level::error: return "error";
    }
    return "info";
}

base::Level parse_level(std::string_view text) {
    for (const auto level : {base::Level::debug, base::Level::info, base::Level::warn, base::Level::error})
        if (name(level) == text) return level;
    return base::Level::info;
}

LogSink::LogSink(base::Level least, bool json, std::size_t kept, std::shared_ptr<const base::Redactor> redactor)
    : least_(least), json_(json), kept_(kept), redactor_(std::move(redactor)) {
    out_ = std::make_shared<spdlog::logger>("hearth", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    out_->set_level(level_of(least));
    out_->set_pattern(json ? "%v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    out_->flush_on(spdlog::level::debug);
}

LogSink::~LogSink() = default;

void LogSink::write(base::Level level, std::string_view event, const base::Json& fields) {
    if (level < least_) return;
    base::Json entry = {{"time", base::rfc3339(base::SystemClock().now())}, {"level", std::string(name(level))}, {"event", std::string(event)}, {"fields", fields}};
    // A secret that reached a log would stay there.
    entry = redactor_->redacted(std::move(entry));
    out_->log(level_of(level), json_ ? base::visible(base::dump(entry)) : line_of(event, entry["fields"]));
    std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
    if (entries_.size() > kept_) entries_.pop_front();
}

base::Json LogSink::recent(base::Level least, int limit) const {
    std::lock_guard lock(mutex_);
    std::deque<base::Json> chosen;
    for (auto it = entries_.rbegin(); it != entries_.rend() && int(chosen.size()) < limit; ++it)
        if (parse_level((*it)["level"].get<std::string>()) >= least) chosen.push_front(*it);
    return base::Json(chosen);
}

}  // namespace net
