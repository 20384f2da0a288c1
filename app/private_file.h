// A file for nobody else to read.
#pragma once

#include <string>

#include "base/result.h"

namespace app {

enum class IfThere { replace, refuse };
// Whole or not at all, 0600. Error{conflict}: it is there already, and is not to be replaced.
base::Result<void> write_private(const std::string& file, const std::string& bytes, IfThere there);

}  // namespace app
