// A tool whose arguments no grammar can hold to its schema: they are held to an object.
#pragma once

#include <cstddef>
#include <string>

namespace text {

struct LooseTool {
    std::size_t tool = 0;  // among those of the request
    std::string place;     // JSON pointer into its schema, where it says what cannot be held; empty: in the whole of it
    bool operator==(const LooseTool&) const = default;
};

}  // namespace text
