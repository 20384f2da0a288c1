#include "engine/kernel_file.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace engine {

KernelFile::KernelFile(std::initializer_list<std::string_view> path) {
    char name[1024];
    std::size_t length = 0;
    for (const std::string_view part : path) {
        if (length + part.size() >= sizeof name) return;
        length += part.copy(name + length, part.size());
    }
    name[length] = 0;
    const int file = ::open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    for (ssize_t n = 0; size_ < sizeof text_ && (n = ::read(file, text_ + size_, sizeof text_ - size_)) > 0;) size_ += std::size_t(n);
    ::close(file);
}

std::uint64_t KernelFile::number_after(std::string_view word) const {
    std::string_view rest = text();
    const auto at = rest.find(word);
    if (at == rest.npos) return UINT64_MAX;
    rest.remove_prefix(at + word.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    std::uint64_t value = 0;
    return std::from_chars(rest.data(), rest.data() + rest.size(), value).ec == std::errc() ? value : UINT64_MAX;
}

std::string first_line_of(const std::filesystem::path& file) {
    const KernelFile read({file.string()});
    const auto line = read.text().substr(0, read.text().find_first_of(std::string_view("\n\0", 2)));
    return std::string(line.substr(0, line.find_last_not_of(' ') + 1));
}

}  // namespace engine
