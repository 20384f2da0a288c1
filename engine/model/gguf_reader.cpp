// Reading the container: header, key/value pairs, tensor infos, layout of the data section.
#include <algorithm>
#include <cstring>

#include "engine/model/gguf.h"

namespace engine {
namespace {

using base::Code;

constexpr std::size_t kScalarBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr std::uint64_t kMaxName = 64;  // of a tensor, terminator included, as ggml has it

// The formats of this engine by their number in the file; others are refused by number and name.
std::optional<Format> format_of(std::uint32_t type) {
    for (int f = 0; f < kFormatCount; ++f)
        if (info(Format(f)).ggml_type == std::int64_t(type)) return Format(f);
    return std::nullopt;
}

std::string format_name(std::uint32_t type) {
    static constexpr struct {
        std::uint32_t type;
        const char* name;
    } kKnown[] = {{9, "Q8_1"}, {15, "Q8_K"}, {24, "I8"}, {25, "I16"}, {26, "I32"}, {27, "I64"}, {28, "F64"}, {41, "Q1_0"}};
    for (const auto& known : kKnown)
        if (known.type == type) return std::string(known.name) + " (" + std::to_string(type) + ")";
    return std::to_string(type);
}

// a * b, or nullopt when it does not fit.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
    std::uint64_t out;
    if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
    return out;
}

}  // namespace

// A cursor over the mapping. Every read says whether the bytes were there.
class GgufReader {
public:
    GgufReader(Gguf& out, std::span<const std::uint8_t> bytes) : out_(out), bytes_(bytes) {}

    base::Result<void> read(Gguf::Part part) {
        std::uint64_t n_tensors = 0, n_values = 0;
        if (auto done = header(n_tensors, n_values); !done) return done;
        for (std::uint64_t i = 0; i < n_values; ++i)
            if (auto done = key_and_value(i); !done) return done;
        if (part == Gguf::Part::keys) return {};
        if (auto done = alignment(); !done) return done;
        std::vector<std::uint64_t> offsets;
        out_.entries_at_ = at_;
        for (std::uint64_t i = 0; i < n_tensors; ++i)
            if (auto done = tensor_info(i, offsets); !done) return done;
        out_.head_bytes_ = at_;
        return part == Gguf::Part::all ? lay_out(offsets) : base::Result<void>{};
    }

private:
    std::size_t left() const { return bytes_.size() - at_; }

    template <class T>
    bool take(T& value) {
        if (left() < sizeof value) return false;
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return true;
    }

    bool take_string(std::string_view& text) {
        std::uint64_t length = 0;
        if (!take(length) || length > left()) return false;
        text = {reinterpret_cast<const char*>(bytes_.data() + at_), std::size_t(length)};
        at_ += std::size_t(length);
        return true;
    }

    base::Error short_of(const std::string& what) const {
        return out_.error("ends inside " + what + " (byte " + std::to_string(at_) + " of " +
                          std::to_string(bytes_.size()) + ")");
    }

    base::Result<void> header(std::uint64_t& n_tensors, std::uint64_t& n_values) {
        std::uint32_t version = 0;
        if (left() < 4 || std::memcmp(bytes_.data(), "GGUF", 4) != 0) {
            std::string found(reinterpret_cast<const char*>(bytes_.data()), std::min<std::size_t>(4, bytes_.size()));
            for (char& c : found)
                if (c < 32 || c > 126) c = '?';
            const std::string known = taken_for_a_model(bytes_);
            return out_.error("is not a GGUF file: it should begin with 'GGUF', found '" + found + "'" + (known.empty() ? "" : ": " + known));
        }
        at_ = 4;
        if (!take(version)) return short_of("the header");
        if (const std::uint32_t turned = __builtin_bswap32(version); turned == 2 || turned == 3)
            return out_.error("is a GGUF of big-endian machines (version " + std::to_string(turned) + "); little-endian ones are read", Code::unsupported);
        if (version != 2 && version != 3)
            return out_.error("has GGUF version " + std::to_string(version) + ", expected 2 or 3", Code::unsupported);
        out_.version_ = version;
        if (!take(n_tensors) || !take(n_values)) return short_of("the header");
        // The least that an entry takes: 13 bytes a pair, 24 a tensor.
        if (n_values > left() / 13 || n_tensors > left() / 24)
            return out_.error("claims " + std::to_string(n_values) + " values and " + std::to_string(n_tensors) +
                              " tensors, more than its " + std::to_string(bytes_.size()) + " bytes can hold");
        return {};
    }

    base::Result<void> key_and_value(std::uint64_t index) {
        const std::string where = "value " + std::to_string(index);
        std::string_view key;
        std::uint32_t type = 0;
        if (!take_string(key) || !take(type)) return short_of(where);
        const std::string named = "key '" + std::string(key.substr(0, 100)) + "'";
        if (type > std::uint32_t(GgufType::f64))
            return out_.error(named + " has value type " + std::to_string(type) + ", expected 0 to 12");
        GgufValue value;
        value.type = GgufType(type);
        if (value.type == GgufType::array) {
            if (auto done = array(named, value); !done) return done;
        } else if (value.type == GgufType::string) {
            std::string_view text;
            if (!take_string(text)) return short_of(named);
            value.bytes = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
        } else {
            const std::size_t size = kScalarBytes[type];
            if (left() < size) return short_of(named);
            value.bytes = bytes_.subspan(at_, size);
            at_ += size;
        }
        if (!out_.values_.emplace(std::string(key), value).second) return out_.error(named + " is there twice");
        return {};
    }

    base::Result<void> array(const std::string& named, GgufValue& value) {
        std::uint32_t element = 0;
        if (!take(element) || !take(value.count)) return short_of(named);
        if (element > std::uint32_t(GgufType::f64) || element == std::uint32_t(GgufType::array))
            return out_.error(named + " is an array of type " + std::to_string(element) + ", which does not exist");
        value.element = GgufType(element);
        const std::size_t begin = at_;
        if (value.element == GgufType::string) {
            if (value.count > left() / 8) return short_of(named);
            std::string_view text;
            for (std::uint64_t i = 0; i < value.count; ++i)
                if (!take_string(text)) return short_of(named);
        } else {
            const std::size_t size = kScalarBytes[element];
            if (value.count > left() / size) return short_of(named);
            at_ += std::size_t(value.count) * size;
        }
        value.bytes = bytes_.subspan(begin, at_ - begin);
        return {};
    }

    base::Result<void> alignment() {
        const GgufValue* value = out_.value("general.alignment");
        if (!value) return {};
        if (value->type != GgufType::u32)
            return out_.error("general.alignment is a " + std::string(name(value->type)) + ", expected u32");
        std::uint32_t found = 0;
        std::memcpy(&found, value->bytes.data(), 4);
        if (found == 0 || (found & (found - 1)) != 0)
            return out_.error("general.alignment is " + std::to_string(found) + ", expected a power of two");
        alignment_ = found;
        return {};
    }

    base::Result<void> tensor_info(std::uint64_t index, std::vector<std::uint64_t>& offsets) {
        std::string_view name;
        std::uint32_t n_dims = 0, type = 0;
        std::uint64_t offset = 0;
        if (!take_string(name) || !take(n_dims)) return short_of("tensor " + std::to_string(index));
        const std::string named = "tensor '" + std::string(name.substr(0, 100)) + "'";
        if (name.size() >= kMaxName)
            return out_.error(named + " has a name of " + std::to_string(name.size()) + " bytes, at most 63 allowed");
        if (n_dims > 4) return out_.error(named + " has " + std::to_string(n_dims) + " dimensions, at most 4 allowed");
        GgufTensor tensor;
        tensor.name = name;
        std::uint64_t values = 1;
        for (std::uint32_t d = 0; d < n_dims; ++d) {
            std::uint64_t dim = 0;
            if (!take(dim)) return short_of(named);
            const auto larger = product(values, dim);
            if (dim > std::uint64_t(INT64_MAX) || !larger || *larger > std::uint64_t(INT64_MAX))
                return out_.error(named + " has a shape whose size overflows (dimension " + std::to_string(d) + " is " +
                                  std::to_string(dim) + ")");
            values = *larger;
            tensor.dims.push_back(dim);
        }
        if (!take(type) || !take(offset)) return short_of(named);
        const auto format = format_of(type);
        if (!format)
            return out_.error(named + " has type " + format_name(type) + ", which this engine does not run",
                              Code::unsupported);
        tensor.format = *format;
        const FormatInfo& f = info(*format);
        const std::uint64_t row = tensor.dims.empty() ? 1 : tensor.dims[0];
        if (row % std::uint64_t(f.values) != 0)
            return out_.error(named + " of type " + f.name + " has rows of " + std::to_string(row) +
                              ", expected a multiple of " + std::to_string(f.values));
        if (!product(values / f.values, std::uint64_t(f.bytes)))
            return out_.error(named + " has more bytes than can be counted");
        if (!out_.tensor_index_.emplace(tensor.name, out_.tensors_.size()).second)
            return out_.error(named + " is there twice");
        offsets.push_back(offset);
        out_.tensors_.push_back(std::move(tensor));
        return {};
    }

    std::optional<std::uint64_t> aligned(std::uint64_t value) const {
        std::uint64_t raised;
        if (__builtin_add_overflow(value, alignment_ - 1, &raised)) return std::nullopt;
        return raised & ~(alignment_ - 1);
    }

    // Tensors lie one after another, padded to the alignment, in any order, without gap or overlap.
    base::Result<void> lay_out(const std::vector<std::uint64_t>& offsets) {
        if (out_.tensors_.empty()) return {};
        const auto base = aligned(at_);
        if (!base) return out_.error("has an alignment beyond its end");
        std::vector<std::size_t> order(offsets.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return offsets[a] < offsets[b]; });
        std::uint64_t expected = 0;
        for (const std::size_t i : order) {
            GgufTensor& tensor = out_.tensors_[i];
            const std::string named = "tensor '" + tensor.name + "'";
            if (offsets[i] != expected)
                return out_.error(named + " is at offset " + std::to_string(offsets[i]) + ", expected " +
                                  std::to_string(expected));
            const std::uint64_t size = tensor.bytes();
            std::uint64_t begin = 0, end = 0;
            if (__builtin_add_overflow(*base, expected, &begin) || __builtin_add_overflow(begin, size, &end) ||
                end > bytes_.size())
                return out_.error(named + " ends beyond the file: " + std::to_string(size) + " bytes from offset " +
                                  std::to_string(begin) + ", the file has " + std::to_string(bytes_.size()));
            tensor.data = bytes_.subspan(std::size_t(begin), std::size_t(size));
            const auto next = aligned(expected + size);
            if (!next) return out_.error(named + " ends beyond what can be counted");
            expected = *next;
        }
        return {};
    }

    Gguf& out_;
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
    std::uint64_t alignment_ = 32;
};

base::Result<std::unique_ptr<Gguf>> Gguf::open(const std::filesystem::path& path, Part part) {
    auto file = MappedFile::open(path);
    if (!file) return std::move(file).error();
    std::unique_ptr<Gguf> gguf(new Gguf);
    gguf->path_ = path;
    gguf->file_ = *std::move(file);
    if (auto done = GgufReader(*gguf, gguf->file_->bytes()).read(part); !done) return std::move(done).error();
    return gguf;
}

base::Result<std::unique_ptr<Gguf>> Gguf::read_head(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
    std::unique_ptr<Gguf> gguf(new Gguf);
    gguf->path_ = path;
    if (auto done = GgufReader(*gguf, bytes).read(Part::head); !done) return std::move(done).error();
    return gguf;
}

}  // namespace engine
