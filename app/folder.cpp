#include "app/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace app {

base::Result<void> Folder::open(const std::string& named) {
    std::error_code failed;
    const std::string path = std::filesystem::canonical(named.empty() ? "." : named, failed).string();
    if (failed) return base::error(base::Code::not_found, "there is no folder '" + named + "': " + failed.message());
    fd_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0) return base::error(base::Code::io, "cannot open " + path + ": " + std::strerror(errno));
    path_ = path;
    return {};
}

Folder::~Folder() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace app
