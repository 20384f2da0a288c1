// A file that cmake/embed.cmake compiled into the program.
#pragma once

#include <cstddef>

namespace base {

struct EmbeddedFile {
    const char* name;  // without its folder
    const char* text;  // also ends in 0
    std::size_t size;
};

}  // namespace base
