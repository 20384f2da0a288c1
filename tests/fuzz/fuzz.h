// What the fuzz targets share: invariants that end the run when they break, and the parts of an input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fuzz {

// Says what broke and ends the process, so that libFuzzer keeps the input. A text that must be put together is given
// as what makes it: most requirements hold, and some are asked thousands of times for an input.
template <class What>
void require(bool holds, const What& what) {
    if (holds) return;
    if constexpr (std::is_invocable_v<What>)
        std::fprintf(stderr, "invariant broken: %s\n", std::string(what()).c_str());
    else
        std::fprintf(stderr, "invariant broken: %s\n", std::string(what).c_str());
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// The first byte of an input; 0 when there is none.
inline unsigned take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return byte;
}

// What stands before the next NUL, which is taken away with it.
inline std::string_view take_part(std::string_view& input) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    const std::string_view out = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return out;
}

// The text in pieces of 1 to 8 bytes that `seed` chooses.
inline std::vector<std::string_view> cut(std::string_view text, unsigned seed) {
    std::vector<std::string_view> out;
    for (std::uint32_t random = seed; !text.empty(); text.remove_prefix(out.back().size())) {
        random = random * 1664525u + 1013904223u;
        out.push_back(text.substr(0, 1 + (random >> 16) % 8));
    }
    return out;
}

// A file whose bytes are an input, for readers that want a path; it is never on a disk.
class File {
public:
    explicit File(const char* name);
    const std::string& path() const { return path_; }
    void write(std::string_view bytes) const;

private:
    int fd_;
    std::string path_;
};

}  // namespace fuzz
