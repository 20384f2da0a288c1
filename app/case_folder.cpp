#include "app/case_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "store/digest.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr std::uintmax_t kMostBytes = 1 << 20;  // of a file that is looked at afterwards

bool open_to_all(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    return !failed && chmod(folder.c_str(), 0777) == 0;
}

}  // namespace

base::Result<std::unique_ptr<CaseFolder>> CaseFolder::make(const std::map<std::string, std::string>& files) {
    auto out = std::make_unique<CaseFolder>();
    std::string name = (fs::temp_directory_path() / "hearth-quality-XXXXXX").string();
    if (!mkdtemp(name.data())) return base::error(Code::io, "the folder " + name + " cannot be made: " + std::strerror(errno));
    out->around_ = name;
    out->path_ = out->around_ / store::base64url(store::random_bytes(12));
    chmod(name.c_str(), 0711);
    for (const auto& [path, text] : files)
        if (!out->write(path, text)) return base::error(Code::io, "the file " + (out->path_ / path).string() + " cannot be written");
    if (!open_to_all(out->path_)) return base::error(Code::io, "the folder " + out->path_.string() + " cannot be made");
    out->fd_ = open(out->path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->fd_ < 0) return base::error(Code::io, "cannot open " + out->path_.string() + ": " + std::strerror(errno));
    return out;
}

CaseFolder::~CaseFolder() {
    if (fd_ >= 0) close(fd_);
    std::error_code none;
    if (!around_.empty()) fs::remove_all(around_, none);
}

std::map<std::string, std::string> CaseFolder::read() const {
    std::map<std::string, std::string> out;
    std::error_code failed;
    for (fs::recursive_directory_iterator at(path_, failed), end; !failed && at != end; at.increment(failed)) {
        if (!at->is_regular_file(failed) || at->is_symlink(failed) || at->file_size(failed) > kMostBytes) continue;
        std::ifstream in(at->path(), std::ios::binary);
        out[at->path().lexically_relative(path_).string()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return out;
}

bool CaseFolder::write(const std::string& name, const std::string& text) {
    const fs::path file = path_ / name;
    for (fs::path folder = file.parent_path(); folder != around_; folder = folder.parent_path())
        if (!open_to_all(folder)) return false;
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    return out.good() && chmod(file.c_str(), 0666) == 0;
}

}  // namespace app
