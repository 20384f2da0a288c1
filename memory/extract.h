// What of a file is text, by its media type: a row each of a table, so that another reader is another row. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace memory {

// Whether files of that type are read here at all.
bool is_readable(std::string_view type);
// Error{unsupported}: no row reads that type; why, and what makes it text. {invalid_argument}: it is not what its type says. `name`: of the file, for the remedy.
base::Result<std::string> text_of(std::string_view type, const std::string& name, std::string bytes);
// Of a file that says nothing of it, by how it begins.
std::string_view type_of(std::string_view bytes);

}  // namespace memory
