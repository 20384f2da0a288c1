// The part of a long list that a request asks for: ?limit=…&before=ID, and what else its query may say.
#pragma once

#include <optional>

#include "server/http.h"
#include "store/node_days.h"
#include "store/storable.h"

namespace server::api {

template <class Id>
struct Page {
    int limit = 50;                   // 1 to 500
    std::optional<Id> before;         // none: from the newest on
    std::optional<Response> refusal;  // of a query that names no page
};

// `what`: what `before` must be.
template <class Id>
Page<Id> page_of(const Request& request, const char* what) {
    Page<Id> out;
    const auto limit = request.query_number("limit", out.limit, 1, 500);
    if (!limit) out.refusal = error_response(limit.error(), "limit");
    else out.limit = *limit;
    const std::string before = request.query_value("before");
    out.before = Id::parse(before);
    if (limit && !before.empty() && !out.before) out.refusal = error_response(400, std::string("before must be ") + what, "invalid_argument", "before");
    return out;
}

// The beginning of the day that a field of the query names; none where it names none.
inline base::Result<std::optional<base::TimePoint>> day_asked(const Request& request, const std::string& field) {
    const std::string text = request.query_value(field);
    if (text.empty()) return std::optional<base::TimePoint>();
    const auto day = store::parse_day(text);
    if (!day) return base::error(base::Code::invalid_argument, field + " is '" + text + "' but must be a day such as 2026-03-01");
    return std::optional<base::TimePoint>(*day);
}

// Refuses a field of the query that is no text to the database.
inline std::optional<Response> no_text(const std::string& field, const std::string& value) {
    if (store::is_storable(value)) return std::nullopt;
    return error_response(400, field + " is no text", "invalid_argument", field);
}

}  // namespace server::api
