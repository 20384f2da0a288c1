// Values of settings as text, from where they may come: file, environment, flags. The only reader
// of the environment.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace net {

// "server.port" → "8080": a YAML file's scalars by dotted path. Lists become "a,b,c". A missing file
// is empty when `required` is false. `others`: top-level names that are no settings and are left out. Errors name file and line,
// and what cannot be read.
base::Result<std::map<std::string, std::string>> read_yaml_settings(const std::filesystem::path& file, bool required, const std::vector<std::string>& others = {});

// What can be read of a file that is no YAML as a whole: each of its top-level names is read by itself, with the lines that belong to it.
struct YamlSections {
    std::map<std::string, std::string> values;   // as of read_yaml_settings
    std::map<std::string, base::Error> faults;  // of the sections that cannot be read, by their names; "" of one without a name
};
YamlSections read_yaml_sections(const std::filesystem::path& file, const std::vector<std::string>& others = {});

// The environment variable's value; nullopt when it is unset or empty.
std::optional<std::string> environment(const std::string& name);

// The names of all variables that begin so and are not empty.
std::vector<std::string> environment_names(const std::string& prefix);

// Folders after the XDG base directory specification.
struct XdgFolders {
    std::filesystem::path config, state, data, cache;  // …/hearth
};
XdgFolders xdg_folders();

}  // namespace net
