// Reads keys below "ARCHITECTURE." of a file and remembers the first error, so that reading a configuration reads as a list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/gguf.h"

namespace engine {

class ConfigKeys {
public:
    ConfigKeys(const Gguf& gguf, std::string architecture) : gguf_(gguf), prefix_(std::move(architecture) + ".") {}

    int required(const char* key, std::int64_t least, std::int64_t most) { return integer(key, least, most, nullptr); }
    int optional(const char* key, int otherwise, std::int64_t least, std::int64_t most) { return integer(key, least, most, &otherwise); }
    // One number for each of n layers, from a scalar or an array of n; `otherwise` where the key is absent.
    std::vector<int> of_layers(const char* key, int n, int otherwise, std::int64_t least, std::int64_t most);
    std::vector<bool> flags_of_layers(const char* key, int n);  // empty when the key is absent
    float real(const char* key, float otherwise);
    bool boolean(const char* key, bool otherwise);
    std::string text(const char* key);
    bool has(const char* key) const { return gguf_.value(prefix_ + key) != nullptr; }

    void fail(base::Error e) {
        if (!error_) error_ = std::move(e);
    }
    void check(bool fine, const std::string& what) {
        if (!fine) fail(gguf_.error(what));
    }
    const std::optional<base::Error>& error() const { return error_; }
    const Gguf& file() const { return gguf_; }

private:
    int integer(const char* key, std::int64_t least, std::int64_t most, const int* otherwise);
    int within(const std::string& key, std::int64_t value, std::int64_t least, std::int64_t most);

    const Gguf& gguf_;
    std::string prefix_;
    std::optional<base::Error> error_;
};

}  // namespace engine
