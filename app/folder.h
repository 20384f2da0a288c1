// The folder that the agent works in, opened here and handed to the server: that may not reach it by its path.
#pragma once

#include <string>

#include "base/result.h"

namespace app {

class Folder {
public:
    Folder() = default;
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();

    // Empty: the current one.
    base::Result<void> open(const std::string& named);

    const std::string& path() const { return path_; }  // absolute; empty: none is open
    int fd() const { return fd_; }                     // -1: the same

private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace app
