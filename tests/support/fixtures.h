// Where test material lies, and small helpers that every test binary may use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace support {

std::filesystem::path source_dir();  // the checkout
std::filesystem::path data_dir();    // tests/data

// Third-party vectors and golden checkpoints: the folder named by HEARTH_VECTORS or HEARTH_GOLDEN,
// else ../shared/… beside the checkout. Empty when absent: the test then calls GTEST_SKIP().
std::optional<std::filesystem::path> vectors_dir();
std::optional<std::filesystem::path> golden_dir();

std::string read_text(const std::filesystem::path& file);  // throws when unreadable

// A fresh folder, removed with everything in it at the end of its life.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace support
