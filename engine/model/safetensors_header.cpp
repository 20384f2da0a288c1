// u64 length, a JSON object of that length that maps each name to {"dtype", "shape", "data_offsets"}, then the
// tensors' bytes without gap or overlap.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "engine/model/safetensors.h"

namespace engine {
namespace {

using base::Code;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // as the format's own library has it

// In the order of Dtype.
constexpr DtypeInfo kDtypes[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"I64", 8},
                                 {"I32", 4}, {"I16", 2}, {"I8", 1},  {"U64", 8},  {"U32", 4},     {"U16", 2},     {"U8", 1},      {"BOOL", 1}};

struct Entry {
    SafeTensor tensor;
    std::optional<std::uint64_t> begin, end;
    bool has_dtype = false, has_shape = false, has_offsets = false;
};

// Takes the header's JSON event by event: nothing is built for what the format does not allow.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<Entry> entries;
    std::string problem;

    bool null() override { return unexpected("null"); }
    bool boolean(bool) override { return unexpected("a boolean"); }
    bool number_integer(number_integer_t value) override { return unexpected(std::to_string(value)); }
    bool number_float(number_float_t, const string_t& text) override { return unexpected(text); }
    bool binary(binary_t&) override { return unexpected("bytes"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (where_ == Where::shape) {
            entries.back().tensor.shape.push_back(value);
            return true;
        }
        if (where_ != Where::offsets) return unexpected(std::to_string(value));
        Entry& e = entries.back();
        if (e.end) return fail(named() + " has more than two data_offsets");
        (e.begin ? e.end : e.begin) = value;
        return true;
    }

    bool string(string_t& value) override {
        if (where_ == Where::metadata) return true;
        if (where_ != Where::tensor || field_ != "dtype") return unexpected("a string");
        for (std::size_t d = 0; d < std::size(kDtypes); ++d)
            if (value == kDtypes[d].name) {
                entries.back().tensor.dtype = Dtype(d);
                return true;
            }
        return fail(named() + " has dtype '" + value.substr(0, 40) + "', which this engine does not read");
    }

    bool start_object(std::size_t) override {
        if (where_ == Where::start) return enter(Where::top);
        if (where_ != Where::top) return unexpected("an object");
        return enter(field_ == "__metadata__" ? Where::metadata : Where::tensor);
    }

    bool key(string_t& name) override {
        field_ = name;
        if (where_ == Where::top) {
            if (!names_.insert(name).second) return fail("names '" + name.substr(0, 100) + "' twice");
            if (name != "__metadata__") {
                entries.emplace_back();
                entries.back().tensor.name = name;
            }
        } else if (where_ == Where::tensor) {
            Entry& e = entries.back();
            bool* seen = name == "dtype" ? &e.has_dtype : name == "shape" ? &e.has_shape : name == "data_offsets" ? &e.has_offsets : nullptr;
            if (!seen) return fail(named() + " has a field '" + name.substr(0, 40) + "', expected dtype, shape and data_offsets");
            if (*seen) return fail(named() + " has the field " + name + " twice");
            *seen = true;
        }
        return true;
    }

    bool end_object() override {
        if (where_ == Where::top) return enter(Where::end);
        if (where_ == Where::tensor) {
            const Entry& e = entries.back();
            const char* missing = !e.has_dtype ? "dtype" : !e.has_shape ? "shape" : !e.has_offsets ? "data_offsets" : nullptr;
            if (missing) return fail(named() + " has no " + missing);
        }
        return enter(Where::top);
    }

    bool start_array(std::size_t) override {
        if (where_ != Where::tensor || field_ == "dtype") return unexpected("an array");
        return enter(field_ == "shape" ? Where::shape : Where::offsets);
    }

    bool end_array() override {
        if (where_ == Where::offsets && !entries.back().end) return fail(named() + " has fewer than two data_offsets");
        return enter(Where::tensor);
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return fail("has a header that is not JSON at byte " + std::to_string(8 + position));
    }

private:
    enum class Where { start, top, metadata, tensor, shape, offsets, end };

    bool enter(Where where) {
        where_ = where;
        return true;
    }
    bool fail(std::string what) {
        if (problem.empty()) problem = std::move(what);
        return false;
    }
    std::string named() const { return "tensor '" + entries.back().tensor.name.substr(0, 100) + "'"; }
    bool unexpected(const std::string& found) {
        switch (where_) {
            case Where::start: return fail("has a header that is " + found + ", expected an object");
            case Where::top: return fail("names '" + field_.substr(0, 100) + "' with " + found + ", expected an object");
            case Where::metadata: return fail("has metadata '" + field_.substr(0, 100) + "' that is " + found + ", expected a string");
            default:
                return fail(named() + " has " + field_ + " " + found + ", expected " +
                            (field_ == "dtype" ? "a string" : "an array of integers from 0"));
        }
    }

    Where where_ = Where::start;
    std::string field_;
    std::unordered_set<std::string> names_;
};

// Bytes of a tensor's values, or nothing where they cannot be counted.
std::optional<std::uint64_t> bytes_of(const SafeTensor& tensor) {
    std::uint64_t bytes = std::uint64_t(info(tensor.dtype).bytes);
    for (const std::uint64_t dim : tensor.shape)
        if (__builtin_mul_overflow(bytes, dim, &bytes)) return std::nullopt;
    return bytes;
}

}  // namespace

const DtypeInfo& info(Dtype dtype) { return kDtypes[std::size_t(dtype)]; }

std::string shape_text(std::span<const std::uint64_t> shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
    return out + "]";
}

base::Result<std::vector<SafeTensor>> read_safetensors_header(std::span<const std::uint8_t> bytes, const std::string& name) {
    const auto error = [&](std::string what) { return base::error(Code::corrupt, name + ": " + std::move(what), kFetchAgain); };
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) return error("is too short for a safetensors file: " + std::to_string(bytes.size()) + " bytes");
    std::memcpy(&length, bytes.data(), sizeof length);
    const auto rest = bytes.subspan(sizeof length);
    if (length > std::min<std::uint64_t>(rest.size(), kMaxHeader)) {
        // What is mistaken for a model claims more than there is; a length that is possible may begin with the same bytes.
        if (const std::string known = taken_for_a_model(bytes); !known.empty()) return error("is not a safetensors file: " + known);
        return error("is not a safetensors file, or cut: it claims a header of " + std::to_string(length) + " bytes, at most " +
                     std::to_string(std::min<std::uint64_t>(rest.size(), kMaxHeader)) + " possible");
    }
    const auto header = rest.first(std::size_t(length));
    if (header.empty() || header[0] != '{') return error("has a header that does not begin with '{'");
    HeaderEvents events;
    if (!nlohmann::json::sax_parse(header.begin(), header.end(), &events)) return error(events.problem);

    const auto data = rest.subspan(std::size_t(length));
    auto& entries = events.entries;
    std::vector<std::size_t> order(entries.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        return std::pair(*entries[a].begin, *entries[a].end) < std::pair(*entries[b].begin, *entries[b].end);
    });
    std::uint64_t expected = 0;
    for (const std::size_t i : order) {
        SafeTensor& tensor = entries[i].tensor;
        const std::uint64_t begin = *entries[i].begin, end = *entries[i].end;
        const std::string named = "tensor '" + tensor.name.substr(0, 100) + "'";
        const auto size = bytes_of(tensor);
        if (!size) return error(named + " has a shape whose size overflows: " + shape_text(tensor.shape).substr(0, 100));
        if (begin != expected) return error(named + " begins at offset " + std::to_string(begin) + ", expected " + std::to_string(expected));
        if (end < begin || end - begin != *size)
            return error(named + " of " + info(tensor.dtype).name + " " + shape_text(tensor.shape).substr(0, 100) + " has data_offsets [" +
                         std::to_string(begin) + ", " + std::to_string(end) + "], expected " + std::to_string(*size) + " bytes");
        if (end > data.size())
            return error(named + " ends at offset " + std::to_string(end) + ", the file has " + std::to_string(data.size()) + " bytes of data");
        tensor.data = data.subspan(std::size_t(begin), std::size_t(*size));
        expected = end;
    }
    if (expected != data.size())
        return error("has " + std::to_string(data.size()) + " bytes of data, its tensors take " + std::to_string(expected));
    std::vector<SafeTensor> out;
    out.reserve(entries.size());
    for (Entry& e : entries) out.push_back(std::move(e.tensor));
    return out;
}

}  // namespace engine
