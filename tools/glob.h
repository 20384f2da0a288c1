// Path patterns: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tools {

// A pattern over relative paths: `*` and `?` stay within a component, `**` spans components, [a-z]
// and [!a-z] classes, {a,b} alternatives (they may nest). Matching is linear in pattern × path.
class Glob {
public:
    static base::Result<Glob> parse(const std::string& pattern);
    bool matches(std::string_view path) const;

private:
    std::vector<std::string> alternatives_;  // without braces
};

}  // namespace tools
