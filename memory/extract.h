// How what a file says is found, by its media type: a row each of a table, so that another kind is another row. Pure; the reading itself is
// memory/reader.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace memory {

enum class Kind { none, text, html, packed, pdf, rtf };
std::string_view name(Kind kind);

Kind kind_of(std::string_view type);
// Error{unsupported} of a type of Kind::none: what it is, and what makes it text. `file`: its name, for the remedy.
base::Error why_unread(std::string_view type, const std::string& file);

// Of a file that says nothing of it: by its name's ending; empty: that tells nothing.
std::string_view type_of_name(std::string_view name);
// The same by how it begins, too; text/plain in the end.
std::string_view type_of(std::string_view name, std::string_view bytes);

}  // namespace memory
