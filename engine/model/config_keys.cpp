#include "engine/model/config_keys.h"

namespace engine {

int ConfigKeys::within(const std::string& key, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return int(value);
    fail(gguf_.error("key '" + key + "' is " + std::to_string(value) + ", expected " + std::to_string(least) + " to " + std::to_string(most)));
    return int(least);
}

int ConfigKeys::integer(const char* key, std::int64_t least, std::int64_t most, const int* otherwise) {
    const std::string full = prefix_ + key;
    auto value = gguf_.integer(full);
    if (!value) return fail(std::move(value).error()), int(least);
    if (*value) return within(full, **value, least, most);
    if (!otherwise) fail(gguf_.error("key '" + full + "' is missing"));
    return otherwise ? *otherwise : int(least);
}

std::vector<int> ConfigKeys::of_layers(const char* key, int n, int otherwise, std::int64_t least, std::int64_t most) {
    const std::string full = prefix_ + key;
    const GgufValue* value = gguf_.value(full);
    if (!value || value->type != GgufType::array) return std::vector<int>(std::size_t(n), optional(key, otherwise, least, most));
    auto numbers = gguf_.integers(full);
    if (!numbers) return fail(std::move(numbers).error()), std::vector<int>(std::size_t(n), int(least));
    check((*numbers)->size() == std::size_t(n), "key '" + full + "' has " + std::to_string((*numbers)->size()) + " numbers, expected one for each of " + std::to_string(n) + " layers");
    std::vector<int> out;
    for (const std::int64_t number : **numbers) out.push_back(within(full, number, least, most));
    out.resize(std::size_t(n), int(least));
    return out;
}

std::vector<bool> ConfigKeys::flags_of_layers(const char* key, int n) {
    const std::string full = prefix_ + key;
    const GgufValue* value = gguf_.value(full);
    if (!value) return {};
    const bool flags = value->type == GgufType::array && value->element == GgufType::boolean && value->count == std::uint64_t(n);
    check(flags, "key '" + full + "' is no array of one flag for each of " + std::to_string(n) + " layers");
    std::vector<bool> out(std::size_t(n), false);
    if (flags)
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = value->bytes[i] != 0;
    return out;
}

float ConfigKeys::real(const char* key, float otherwise) {
    auto value = gguf_.real(prefix_ + key);
    if (!value) return fail(std::move(value).error()), otherwise;
    return *value ? float(**value) : otherwise;
}

bool ConfigKeys::boolean(const char* key, bool otherwise) {
    auto value = gguf_.boolean(prefix_ + key);
    if (!value) return fail(std::move(value).error()), otherwise;
    return value->value_or(otherwise);
}

std::string ConfigKeys::text(const char* key) {
    auto value = gguf_.text(prefix_ + key);
    if (!value) return fail(std::move(value).error()), std::string();
    return value->value_or("");
}

}  // namespace engine
