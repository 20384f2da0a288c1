// What a golden checkpoint's comparison found, as one line of JSON in the file that HEARTH_GOLDEN_RECORD names:
// tests/models_page.py makes the table of docs/models.md of them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace support {

class GoldenRecord {
public:
    // `file`: the folder itself, or its GGUF.
    GoldenRecord(const std::filesystem::path& folder, const std::filesystem::path& file, const std::string& target)
        : line_{{"folder", folder.string()}, {"file", file == folder ? "" : file.filename().string()}, {"target", target}} {}
    ~GoldenRecord() {
        const char* const to = std::getenv("HEARTH_GOLDEN_RECORD");
        if (!to || !*to || line_.size() == 3) return;
        const std::string text = line_.dump() + "\n";
        const int file = ::open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (file < 0) return;
        (void)!::write(file, text.data(), text.size());  // at once: tests run beside each other
        ::close(file);
    }
    GoldenRecord(const GoldenRecord&) = delete;
    GoldenRecord& operator=(const GoldenRecord&) = delete;

    // Keeps the largest difference of this kind ("logits", "vectors", …) and its tolerance; gives the difference back.
    double difference(const char* what, double found, double tolerance) {
        auto& kept = line_[what];
        if (!kept.is_array() || !(found <= kept[0].get<double>())) kept = {found, tolerance};
        return found;
    }
    // Whether all greedy continuations agreed.
    void greedy(bool equal) { line_["greedy"] = line_.value("greedy", true) && equal; }

private:
    nlohmann::json line_;
};

}  // namespace support
