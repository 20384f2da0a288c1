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

// A secret that reached a log would stay there: keys are cut to what recognises them.
std::string without_secrets(std::string text) {
    for (std::size_t at = text.find("hk_"); at != text.npos; at = text.find("hk_", at + 3)) {
        std::size_t end = at + 3;
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_' || text[end] == '-')) ++end;
        if (end - at > 20) text.replace(at + 8, end - at - 8, "…");
    }
    return text;
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

LogSink::LogSink(base::Level least, bool json, std::size_t kept) : least_(least), json_(json), kept_(kept) {
    out_ = std::make_shared<spdlog::logger>("hearth", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    out_->set_level(level_of(least));
    out_->set_pattern(json ? "%v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    out_->flush_on(spdlog::level::debug);
}

LogSink::~LogSink() = default;

void LogSink::write(base::Level level, std::string_view event, const base::Json& fields) {
    if (level < least_) return;
    base::Json entry = {{"time", base::rfc3339(base::SystemClock().now())}, {"level", std::string(name(level))}, {"event", std::string(event)}, {"fields", fields}};
    std::string whole = without_secrets(base::dump(entry));
    out_->log(level_of(level), json_ ? base::visible(whole) : without_secrets(line_of(event, fields)));
    auto clean = base::parse_json(whole);
    std::lock_guard lock(mutex_);
    entries_.push_back(clean ? *std::move(clean) : std::move(entry));
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
