// The settings of a git repository as text, and which of them are harmless: pure.
#pragma once

#include <string>
#include <vector>

namespace sandbox {

struct DisarmedConfig {
    std::string text;                  // what may stay, written as git writes it
    std::vector<std::string> removed;  // names: "core.fsmonitor"
};

// `now` without the settings that could make git run a command, reach another host or write elsewhere:
// what is not known to be harmless goes, unless `before` holds the same setting with the same value.
// The text is written anew from what was understood, so that git can read nothing else into it.
DisarmedConfig disarm_config(const std::string& now, const std::string& before);

}  // namespace sandbox
