// Output of a program, kept at both ends: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sandbox {

class KeptOutput {
public:
    // Keeps at most `limit` bytes: half from the beginning, half from the end.
    explicit KeptOutput(std::uint64_t limit) : half_(std::size_t(limit / 2)) {}
    void add(std::string_view bytes);
    std::uint64_t total() const { return total_; }
    bool cut() const { return total_ > 2 * half_; }
    // Head and tail, with a line between them that says how much is missing.
    std::string text();

private:
    std::size_t half_;
    std::uint64_t total_ = 0;
    std::string head_, tail_;
};

}  // namespace sandbox
