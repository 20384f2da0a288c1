#include "app/deployed_file.h"

namespace app {

namespace fs = std::filesystem;

fs::path deployed_file(const fs::path& set, const std::string& name) {
    if (!set.empty()) return set;
    std::error_code none;
    const fs::path binary = fs::read_symlink("/proc/self/exe", none);
    for (fs::path folder = binary.parent_path(); folder.has_relative_path(); folder = folder.parent_path())
        for (const fs::path& file : {folder / name, folder / "deploy" / name})
            if (fs::exists(file, none)) return file;
    return fs::path("deploy") / name;
}

}  // namespace app
