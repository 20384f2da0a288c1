#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace engine {

using base::Code;

namespace {

// In the midst of a larger reservation, whose rest is given back.
void* map_aligned(int fd, std::size_t size, std::size_t alignment) {
    const auto page = std::size_t(sysconf(_SC_PAGESIZE)), whole = (size + page - 1) / page * page;
    void* const reserved = mmap(nullptr, whole + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return MAP_FAILED;
    std::uint8_t* const from = static_cast<std::uint8_t*>(reserved);
    std::uint8_t* const at = from + (alignment - reinterpret_cast<std::uintptr_t>(from) % alignment) % alignment;
    if (at > from) munmap(from, std::size_t(at - from));
    if (const std::size_t rest = std::size_t(from + alignment - at); rest > 0) munmap(at + whole, rest);
    void* const data = mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    if (data == MAP_FAILED) munmap(at, whole);
    else madvise(data, size, MADV_HUGEPAGE);  // a wish: small pages work too
    return data;
}

}  // namespace

std::string taken_for_a_model(std::span<const std::uint8_t> bytes) {
    static constexpr std::pair<std::string_view, const char*> kBeginnings[] = {
        {"version https://git-lfs", "a Git LFS pointer, which stands for the file (git lfs pull fetches it)"},
        {"<!", "a web page, which a server sent in place of the file"},
        {"<html", "a web page, which a server sent in place of the file"},
        {"PK\x03\x04", "a ZIP archive or a PyTorch checkpoint"},
        {"\x80\x02", "a Python pickle"},
        {"GGML", "a file of GGUF's forerunner GGML"}, {"lmgg", "a file of GGUF's forerunner GGML"}, {"tjgg", "a file of GGUF's forerunner GGML"}};
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (const auto& [beginning, what] : kBeginnings)
        if (text.starts_with(beginning)) return what;
    return {};
}

base::Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::filesystem::path& path, std::size_t alignment) {
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
    void* const data = alignment > 0 ? map_aligned(fd, size, alignment) : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int failed = errno;
    if (data == MAP_FAILED) {
        ::close(fd);
        return base::error(Code::resource_exhausted, "cannot map the " + std::to_string(size >> 20) + " MiB of " + path.string() + " into the addresses of this process: " + std::strerror(failed),
                           "raise the limit of its addresses (ulimit -v) and of its mappings (vm.max_map_count)");
    }
    return std::unique_ptr<MappedFile>(new MappedFile(static_cast<const std::uint8_t*>(data), size, fd));
}

void MappedFile::release(std::span<const std::uint8_t> part) {
    const auto page = std::uintptr_t(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data()) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(part.data()) + part.size();
    if (!part.empty()) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

base::Result<void> MappedFile::read(std::span<const std::uint8_t> part, std::uint8_t* to) const {
    const auto begin = std::size_t(part.data() - data_);
    for (std::size_t done = 0; done < part.size();) {
        const ssize_t n = pread(fd_, to + done, part.size() - done, off_t(begin + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return base::error(Code::io, "cannot be read from byte " + std::to_string(begin + done) + " on: " + std::strerror(errno));
        if (n == 0) return base::error(Code::io, "ends at byte " + std::to_string(begin + done) + " of " + std::to_string(size_) + ": it was cut after it was opened");
        done += std::size_t(n);
    }
    return {};
}

bool MappedFile::is_whole() const {
    struct stat status {};
    return fstat(fd_, &status) == 0 && std::size_t(status.st_size) >= size_;
}

void MappedFile::forget(std::span<const std::uint8_t> part) const { posix_fadvise(fd_, part.data() - data_, off_t(part.size()), POSIX_FADV_DONTNEED); }

MappedFile::~MappedFile() {
    munmap(const_cast<std::uint8_t*>(data_), size_);
    ::close(fd_);
}

}  // namespace engine
