#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace engine {

using base::Code;

base::Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would keep us waiting
    if (fd < 0)
        return base::error(errno == ENOENT ? Code::not_found : Code::io,
                           "cannot open " + path.string() + ": " + std::strerror(errno),
                           errno == EACCES ? "let the user that runs this read it" : "name a model file that is there");
    struct stat status {};
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(fd);
        return base::error(Code::invalid_argument, path.string() + " is not a regular file", "name a model file");
    }
    const auto size = std::size_t(status.st_size);
    if (size == 0) {
        ::close(fd);
        return base::error(Code::corrupt, path.string() + " is empty", kFetchAgain);
    }
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int failed = errno;
    ::close(fd);
    if (data == MAP_FAILED)
        return base::error(Code::resource_exhausted, "cannot map the " + std::to_string(size) + " bytes of " +
                                                         path.string() + ": " + std::strerror(failed));
    return std::unique_ptr<MappedFile>(new MappedFile(static_cast<const std::uint8_t*>(data), size));
}

void MappedFile::release(std::span<const std::uint8_t> part) const {
    const auto page = std::uintptr_t(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data()) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(part.data()) + part.size();
    if (!part.empty()) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

MappedFile::~MappedFile() { munmap(const_cast<std::uint8_t*>(data_), size_); }

}  // namespace engine
