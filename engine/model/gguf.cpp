// Typed reads of the metadata.
#include "engine/model/gguf.h"

#include <cstring>

namespace engine {
namespace {

template <class T>
T load(const std::uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

std::size_t element_bytes(GgufType type) {
    switch (type) {
        case GgufType::u8: case GgufType::i8: case GgufType::boolean: return 1;
        case GgufType::u16: case GgufType::i16: return 2;
        case GgufType::u32: case GgufType::i32: case GgufType::f32: return 4;
        case GgufType::u64: case GgufType::i64: case GgufType::f64: return 8;
        case GgufType::string: case GgufType::array: return 0;
    }
    return 0;
}

std::optional<std::int64_t> as_integer(GgufType type, const std::uint8_t* p) {
    switch (type) {
        case GgufType::u8: return *p;
        case GgufType::i8: return load<std::int8_t>(p);
        case GgufType::u16: return load<std::uint16_t>(p);
        case GgufType::i16: return load<std::int16_t>(p);
        case GgufType::u32: return load<std::uint32_t>(p);
        case GgufType::i32: return load<std::int32_t>(p);
        case GgufType::i64: return load<std::int64_t>(p);
        case GgufType::u64: {
            const auto value = load<std::uint64_t>(p);
            if (value > std::uint64_t(INT64_MAX)) return std::nullopt;
            return std::int64_t(value);
        }
        default: return std::nullopt;
    }
}

std::optional<double> as_real(GgufType type, const std::uint8_t* p) {
    if (type == GgufType::f32) return load<float>(p);
    if (type == GgufType::f64) return load<double>(p);
    if (const auto integer = as_integer(type, p)) return double(*integer);
    return std::nullopt;
}

}  // namespace

std::string_view name(GgufType type) {
    static constexpr std::string_view kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                  "bool", "string", "array", "u64", "i64", "f64"};
    return kNames[std::size_t(type)];
}

std::uint64_t GgufTensor::values() const {
    std::uint64_t n = 1;
    for (const auto dim : dims) n *= dim;  // checked for overflow when read
    return n;
}

std::string GgufTensor::shape() const {
    std::string out = "[";
    for (std::size_t i = 0; i < dims.size(); ++i) out += (i ? ", " : "") + std::to_string(dims[i]);
    return out + "]";
}

base::Error Gguf::error(std::string what, base::Code code) const {
    return base::error(code, path_.string() + ": " + std::move(what), code == base::Code::corrupt ? kFetchAgain : "");
}

const GgufTensor* Gguf::tensor(std::string_view name) const {
    const auto it = tensor_index_.find(std::string(name));
    return it == tensor_index_.end() ? nullptr : &tensors_[it->second];
}

const GgufValue* Gguf::value(std::string_view key) const {
    const auto it = values_.find(std::string(key));
    return it == values_.end() ? nullptr : &it->second;
}

namespace {

base::Error wrong(const Gguf& gguf, std::string_view key, const GgufValue& value, const char* expected) {
    std::string found(name(value.type));
    if (value.type == GgufType::array) found += " of " + std::string(name(value.element));
    return gguf.error("key '" + std::string(key) + "' must be " + expected + ", found " + found);
}

}  // namespace

base::Result<std::optional<std::string>> Gguf::text(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<std::string>{};
    if (v->type != GgufType::string) return wrong(*this, key, *v, "a string");
    return std::optional<std::string>{std::string(reinterpret_cast<const char*>(v->bytes.data()), v->bytes.size())};
}

base::Result<std::optional<std::int64_t>> Gguf::integer(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<std::int64_t>{};
    const auto found = as_integer(v->type, v->bytes.data());
    if (!found) return wrong(*this, key, *v, "an integer below 2^63");
    return found;
}

base::Result<std::optional<double>> Gguf::real(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<double>{};
    const auto found = as_real(v->type, v->bytes.data());
    if (!found) return wrong(*this, key, *v, "a number");
    return found;
}

base::Result<std::optional<bool>> Gguf::boolean(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<bool>{};
    if (v->type != GgufType::boolean) return wrong(*this, key, *v, "a bool");
    return std::optional<bool>{v->bytes[0] != 0};
}

base::Result<std::optional<std::vector<std::string>>> Gguf::texts(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<std::vector<std::string>>{};
    if (v->type != GgufType::array || v->element != GgufType::string) return wrong(*this, key, *v, "an array of strings");
    std::vector<std::string> out;
    out.reserve(v->count);  // each string takes 8 bytes of the file at least, so this is bounded by it
    const std::uint8_t* p = v->bytes.data();
    for (std::uint64_t i = 0; i < v->count; ++i) {
        const auto length = std::size_t(load<std::uint64_t>(p));
        out.emplace_back(reinterpret_cast<const char*>(p + 8), length);
        p += 8 + length;
    }
    return std::optional{std::move(out)};
}

base::Result<std::optional<std::vector<std::int64_t>>> Gguf::integers(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<std::vector<std::int64_t>>{};
    if (v->type != GgufType::array || element_bytes(v->element) == 0) return wrong(*this, key, *v, "an array of integers");
    std::vector<std::int64_t> out(v->count);
    for (std::uint64_t i = 0; i < v->count; ++i) {
        const auto found = as_integer(v->element, v->bytes.data() + i * element_bytes(v->element));
        if (!found) return wrong(*this, key, *v, "an array of integers below 2^63");
        out[i] = *found;
    }
    return std::optional{std::move(out)};
}

base::Result<std::optional<std::vector<float>>> Gguf::reals(std::string_view key) const {
    const GgufValue* v = value(key);
    if (!v) return std::optional<std::vector<float>>{};
    if (v->type != GgufType::array || element_bytes(v->element) == 0) return wrong(*this, key, *v, "an array of numbers");
    std::vector<float> out(v->count);
    for (std::uint64_t i = 0; i < v->count; ++i) {
        const auto found = as_real(v->element, v->bytes.data() + i * element_bytes(v->element));
        if (!found) return wrong(*this, key, *v, "an array of numbers");
        out[i] = float(*found);
    }
    return std::optional{std::move(out)};
}

}  // namespace engine
