// Where events go. The sink is handed down by reference; only app/wire makes one.
#pragma once

#include <string_view>

#include "base/json.h"

namespace base {

enum class Level { debug, info, warn, error };

class Log {
public:
    virtual ~Log() = default;
    // `event` is a short stable sentence ("model loaded"); what varies goes into `fields`.
    virtual void write(Level level, std::string_view event, const Json& fields) = 0;

    void debug(std::string_view event, const Json& fields = Json::object()) { write(Level::debug, event, fields); }
    void info(std::string_view event, const Json& fields = Json::object()) { write(Level::info, event, fields); }
    void warn(std::string_view event, const Json& fields = Json::object()) { write(Level::warn, event, fields); }
    void error(std::string_view event, const Json& fields = Json::object()) { write(Level::error, event, fields); }
};

class NullLog final : public Log {
public:
    void write(Level, std::string_view, const Json&) override {}
};

}  // namespace base
