// Small files of the kernel's, below /proc and /sys. They are read while answers are written, so nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace engine {

class KernelFile {
public:
    // The path is its parts, one behind the other. A file that is not there is empty.
    explicit KernelFile(std::initializer_list<std::string_view> path);
    std::string_view text() const { return {text_, size_}; }
    // The number behind that word, UINT64_MAX where there is none ("max" included).
    std::uint64_t number_after(std::string_view word) const;
    std::uint64_t number() const { return number_after({}); }

private:
    char text_[8192];
    std::size_t size_ = 0;
};

// Up to the end of its first line, or to the zero that ends a text of the device tree; "" where there is none.
std::string first_line_of(const std::filesystem::path& file);

}  // namespace engine
