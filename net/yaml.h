// A YAML file as JSON values, with the line that each stands in.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace net {

struct Yaml {
    base::OrderedJson value;
    std::map<std::string, int> lines;  // by JSON pointer, from 1; of a map's member the line of its name

    int line(const std::string& pointer) const;
};

// Plain words are values as JSON knows them (true, 12, 1.5, null), quoted ones are texts. Aliases are resolved. Errors name the
// file and the line: a name that stands twice in a map, one that is no text, or more values than such a file can need.
base::Result<Yaml> parse_yaml(const std::string& text, const std::string& name);

}  // namespace net
