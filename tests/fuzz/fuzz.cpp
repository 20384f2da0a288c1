#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

namespace fuzz {

File::File(const char* name) : fd_(memfd_create(name, MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {
    require(fd_ >= 0, "there is memory for a file");
}

void File::write(std::string_view bytes) const {
    require(ftruncate(fd_, off_t(bytes.size())) == 0 && pwrite(fd_, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()), "the file is written");
}

}  // namespace fuzz
