#include "engine/model/config_keys.h"

namespace engine {

int ConfigKeys::within(const std::string& key, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return int(value);
    fail(values_.error("key '" + values_.shown(key) + "' is " + std::to_string(value) + ", expected " + std::to_string(least) + " to " + std::to_string(most)));
    return int(least);
}

int ConfigKeys::integer(const char* key, std::int64_t least, std::int64_t most, const int* otherwise) {
    asked_.insert(key);
    const std::string full = prefix_ + key;
    auto value = values_.integer(full);
    if (!value) return fail(std::move(value).error()), int(least);
    if (*value) return within(full, **value, least, most);
    if (!otherwise) fail(values_.error("key '" + values_.shown(full) + "' is missing"));
    return otherwise ? *otherwise : int(least);
}

std::vector<int> ConfigKeys::of_layers(const char* key, int n, int otherwise, std::int64_t least, std::int64_t most) {
    const std::string full = prefix_ + key;
    if (!values_.is_array(full)) return std::vector<int>(std::size_t(n), optional(key, otherwise, least, most));
    auto numbers = values_.integers(full);
    if (!numbers) return fail(std::move(numbers).error()), std::vector<int>(std::size_t(n), int(least));
    check((*numbers)->size() == std::size_t(n), "key '" + values_.shown(full) + "' has " + std::to_string((*numbers)->size()) + " numbers, expected one for each of " + std::to_string(n) + " layers");
    std::vector<int> out;
    for (const std::int64_t number : **numbers) out.push_back(within(full, number, least, most));
    out.resize(std::size_t(n), int(least));
    return out;
}

std::vector<bool> ConfigKeys::flags_of_layers(const char* key, int n) {
    const std::string full = prefix_ + key;
    if (!values_.has(full)) return {};
    auto flags = values_.flags(full);
    const bool fits = flags && flags->size() == std::size_t(n);
    check(fits, "key '" + values_.shown(full) + "' is no array of one flag for each of " + std::to_string(n) + " layers");
    return fits ? *std::move(flags) : std::vector<bool>(std::size_t(n), false);
}

float ConfigKeys::real(const char* key, float otherwise) {
    asked_.insert(key);
    auto value = values_.real(prefix_ + key);
    if (!value) return fail(std::move(value).error()), otherwise;
    return *value ? float(**value) : otherwise;
}

bool ConfigKeys::boolean(const char* key, bool otherwise) {
    asked_.insert(key);
    auto value = values_.boolean(prefix_ + key);
    if (!value) return fail(std::move(value).error()), otherwise;
    return value->value_or(otherwise);
}

std::string ConfigKeys::text(const char* key) {
    asked_.insert(key);
    auto value = values_.text(prefix_ + key);
    if (!value) return fail(std::move(value).error()), std::string();
    return value->value_or("");
}

}  // namespace engine
