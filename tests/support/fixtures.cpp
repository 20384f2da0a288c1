#include "support/fixtures.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace support {
namespace {

std::optional<std::filesystem::path> folder(const char* variable, const char* otherwise) {
    const char* set = std::getenv(variable);
    const std::filesystem::path path = set && *set ? set : otherwise;
    if (std::filesystem::is_directory(path)) return path;
    return std::nullopt;
}

}  // namespace

std::filesystem::path source_dir() { return HEARTH_SOURCE_DIR; }
std::filesystem::path data_dir() { return source_dir() / "tests" / "data"; }
std::optional<std::filesystem::path> vectors_dir() { return folder("HEARTH_VECTORS", HEARTH_VECTORS_DEFAULT); }
std::optional<std::filesystem::path> golden_dir() { return folder("HEARTH_GOLDEN", HEARTH_GOLDEN_DEFAULT); }

std::string read_text(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

TempDir::TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-test-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed: " + pattern);
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace support
