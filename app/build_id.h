// Which build of the program this is.
#pragma once

#include <string>

namespace app {

// The linker's build id, in hexadecimal; of a program without one its version.
std::string build_id();

}  // namespace app
