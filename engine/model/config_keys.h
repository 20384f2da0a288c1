// What a model's file says of itself by key, and reading it into a configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace engine {

// Keys as GGUF names them; see read_config for those that it knows beyond GGUF's own.
class KeyValues {
public:
    virtual ~KeyValues() = default;
    virtual bool has(const std::string& key) const = 0;
    // nullopt when the key is absent; an error when it is there with another type.
    virtual base::Result<std::optional<std::string>> text(const std::string& key) const = 0;
    virtual base::Result<std::optional<std::int64_t>> integer(const std::string& key) const = 0;
    virtual base::Result<std::optional<double>> real(const std::string& key) const = 0;
    virtual base::Result<std::optional<bool>> boolean(const std::string& key) const = 0;
    virtual bool is_array(const std::string& key) const = 0;
    virtual base::Result<std::optional<std::vector<std::int64_t>>> integers(const std::string& key) const = 0;
    // nullopt also when it is no array of flags.
    virtual std::optional<std::vector<bool>> flags(const std::string& key) const = 0;
    // What the file itself calls a key.
    virtual std::string shown(const std::string& key) const = 0;
    // What a container says by its tensors or by keys of its own.
    virtual bool has_experts(int layer) const = 0;
    virtual base::Result<int> vocabulary(int hidden) const = 0;
    // An error that begins with the file's name.
    virtual base::Error error(std::string what, base::Code code = base::Code::corrupt) const = 0;
};

// Reads keys below "ARCHITECTURE." and remembers the first error, so that reading a configuration reads as a list.
class ConfigKeys {
public:
    ConfigKeys(const KeyValues& values, std::string architecture) : values_(values), prefix_(std::move(architecture) + ".") {}

    int required(const char* key, std::int64_t least, std::int64_t most) { return integer(key, least, most, nullptr); }
    int optional(const char* key, int otherwise, std::int64_t least, std::int64_t most) { return integer(key, least, most, &otherwise); }
    // One number for each of n layers, from a scalar or an array of n; `otherwise` where the key is absent.
    std::vector<int> of_layers(const char* key, int n, int otherwise, std::int64_t least, std::int64_t most);
    std::vector<bool> flags_of_layers(const char* key, int n);  // empty when the key is absent
    float real(const char* key, float otherwise);
    bool boolean(const char* key, bool otherwise);
    std::string text(const char* key);
    bool has(const char* key) const {
        asked_.insert(key);
        return values_.has(prefix_ + key);
    }
    // Whether the file has the key, and nothing above asked for it.
    bool unread(const std::string& key) const { return !asked_.contains(key) && values_.has(prefix_ + key); }
    std::string whole(const std::string& key) const { return prefix_ + key; }

    void fail(base::Error e) {
        if (!error_) error_ = std::move(e);
    }
    void check(bool fine, const std::string& what) {
        if (!fine) fail(values_.error(what));
    }
    const std::optional<base::Error>& error() const { return error_; }
    const KeyValues& values() const { return values_; }

private:
    int integer(const char* key, std::int64_t least, std::int64_t most, const int* otherwise);
    int within(const std::string& key, std::int64_t value, std::int64_t least, std::int64_t most);

    const KeyValues& values_;
    std::string prefix_;
    mutable std::set<std::string> asked_;
    std::optional<base::Error> error_;
};

}  // namespace engine
