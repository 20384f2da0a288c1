// A key that lies in a file of its own.
#pragma once

#include <string>

#include "base/result.h"

namespace app {

// The one word of the file, without the blanks and lines' ends around it. `place`: the flag or setting that names the file, in errors.
base::Result<std::string> key_in_file(const std::string& place, const std::string& file);

}  // namespace app
