// The folder of a scripted case: made with its files, read afterwards, gone with this.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace app {

// A folder that the server's user may write in, whoever that is; nobody else finds it, since the one around it cannot be listed.
class CaseFolder {
public:
    // path → text
    static base::Result<std::unique_ptr<CaseFolder>> make(const std::map<std::string, std::string>& files);
    CaseFolder() = default;
    CaseFolder(const CaseFolder&) = delete;
    CaseFolder& operator=(const CaseFolder&) = delete;
    ~CaseFolder();

    int fd() const { return fd_; }
    const std::filesystem::path& path() const { return path_; }
    std::map<std::string, std::string> read() const;  // of files that are not large

private:
    bool write(const std::string& name, const std::string& text);

    std::filesystem::path around_, path_;
    int fd_ = -1;
};

}  // namespace app
