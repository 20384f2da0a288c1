// Files of deploy/ that the program reads.
#pragma once

#include <filesystem>
#include <string>

namespace app {

// The one that a setting names; else NAME beside the installed binary, or deploy/NAME of the checkout that it was built in.
std::filesystem::path deployed_file(const std::filesystem::path& set, const std::string& name);

}  // namespace app
