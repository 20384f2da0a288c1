// What of an answer goes to a terminal.
#pragma once

#include <cstdio>
#include <string>

#include "app/terminal.h"
#include "base/json.h"

namespace app {

// A field's text, safe to show; empty where it is none.
inline std::string text_of(const base::Json& json, const char* field) { return json[field].is_string() ? visible(json[field].get<std::string>()) : ""; }

// One that was just remembered.
inline void print_document(const base::Json& kept) {
    std::printf("%s  %s: %d sections%s\n", text_of(kept, "id").c_str(), text_of(kept, "name").c_str(), kept["sections"].is_null() ? 0 : kept["sections"].get<int>(),
                kept["cut"].get<bool>() ? " of its beginning alone: it says more than is remembered of one file" : "");
}

}  // namespace app
