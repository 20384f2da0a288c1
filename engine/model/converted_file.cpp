#include "engine/model/converted_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>

#include "engine/model/checkpoint.h"
#include "engine/model/checksum.h"
#include "engine/model/gguf_file.h"
#include "text/json_node.h"

namespace engine {
namespace {

using base::Code;
using base::Json;
using text::JsonNode;

// Answers as the source did; the values of matrices lie in the image.
class ConvertedTensors final : public TensorSource {
public:
    explicit ConvertedTensors(const ConvertedFile& file) : file_(file) {}

    bool has(const std::string& name) const override { return file_.record().has.contains(name); }

    base::Result<Stored> matrices(const std::string& name, int rows, int cols, int count) override {
        const auto it = file_.record().matrices.find(name);
        if (it == file_.record().matrices.end()) return other_version(name);
        const ConvertedMatrix& m = it->second;
        if (m.rows != rows || m.inputs != cols || m.count != count) return other_version(name);
        Stored out;
        out.name = name;
        out.format = m.format;
        out.rows = rows, out.cols = m.cols;
        if (m.inputs != m.cols) out.inputs = m.inputs;
        out.eight_bits = m.eight_bits;
        out.in_place.assign(std::size_t(count), nullptr);
        out.scales = m.scales;
        out.order = m.order;
        return out;
    }

    base::Result<std::vector<float>> values(const std::string& name, const std::vector<std::uint64_t>& dims) override {
        const auto it = file_.record().values.find(name);
        if (it == file_.record().values.end() || it->second.first != dims) return other_version(name);
        return it->second.second;
    }

    base::Result<void> finish() override { return {}; }

private:
    base::Error other_version(const std::string& name) const {
        base::Error error = file_.error("was converted by another version: it has no tensor '" + name + "' as this one wants it", Code::unsupported);
        error.remedy = "convert its source again: hearth model convert SOURCE FILE";
        return error;
    }
    const ConvertedFile& file_;
};

std::optional<Format> format_called(const std::string& name) {
    for (int f = 0; f < kFormatCount; ++f)
        if (name == info(Format(f)).name) return Format(f);
    return std::nullopt;
}

std::uint64_t number_at(std::span<const std::uint8_t> bytes, std::size_t at) {
    std::uint64_t out;
    std::memcpy(&out, bytes.data() + at, sizeof out);
    return out;
}

}  // namespace

// Reads one file; the first thing that is wrong is kept.
class ConvertedReader {
public:
    explicit ConvertedReader(ConvertedFile& out) : out_(out), bytes_(out.file_->bytes()), problem_{out.path_.string(), {}} {}

    base::Result<void> read() {
        if (bytes_.size() < ConvertedFile::kPreamble) return out_.error("ends inside its head", Code::corrupt);
        const std::uint64_t sum = number_at(bytes_, 8), index = number_at(bytes_, 16), begin = number_at(bytes_, 24), image = number_at(bytes_, 32);
        if (begin > bytes_.size() || image > bytes_.size() || begin + image != bytes_.size() || begin % ConvertedFile::kImageAlignment != 0 || begin == 0)
            return out_.error("has " + std::to_string(bytes_.size()) + " bytes, expected " + std::to_string(begin) + " and " + std::to_string(image) + " of weights", Code::corrupt);
        const auto head = bytes_.first(std::size_t(begin)).subspan(ConvertedFile::kPreamble);
        if (index > head.size() || xxh64(bytes_.first(std::size_t(begin)).subspan(ConvertedFile::kSummed)) != sum)
            return out_.error("has a damaged head: its checksum is wrong", Code::corrupt);
        out_.image_.bytes = bytes_.subspan(std::size_t(begin));
        out_.image_.mapping = out_.file_.get();
        const auto json = base::parse_json({reinterpret_cast<const char*>(head.data()), std::size_t(index)});
        if (!json) return out_.error("has an index that is wrong: " + json.error().message, Code::corrupt);
        const std::size_t parts = (ConvertedFile::kPreamble + std::size_t(index) + ConvertedFile::kPartAlignment - 1) / ConvertedFile::kPartAlignment * ConvertedFile::kPartAlignment;
        if (parts <= begin) parts_ = bytes_.subspan(parts, std::size_t(begin) - parts);
        const JsonNode node(&*json, "", problem_);
        if (const auto version = node["version"].integer(0, INT32_MAX); version != ConvertedFile::kVersion && !problem_.first) {
            base::Error error = out_.error("was converted by another version of the form (" + std::to_string(version) + ", expected " + std::to_string(ConvertedFile::kVersion) + ")", Code::unsupported);
            error.remedy = "convert its source again: hearth model convert SOURCE FILE";
            return error;
        }
        fields(node);
        if (problem_.first) return *problem_.first;
        return source(node);
    }

private:
    void fields(const JsonNode& node) {
        out_.name_ = node["name"].text();
        out_.image_.target = node["target"].text();
        out_.image_.packing = std::strtoull(node["packing"].text().c_str(), nullptr, 16);
        out_.image_.layout = std::strtoull(node["layout"].text().c_str(), nullptr, 16);
        out_.image_.checksums = list<std::uint64_t>(node["checksums"]);
        if (!node["piece_checksums"].absent()) out_.image_.piece_checksums = list<std::uint64_t>(node["piece_checksums"]);
        if (out_.image_.checksums.size() != (out_.image_.bytes.size() + WeightImage::chunk - 1) / WeightImage::chunk) node["checksums"].wrong("one for each chunk of the weights");
        const JsonNode sizes = node["sizes"];
        const auto size = [&](const char* key) { return std::uint64_t(sizes[key].integer(0, INT64_MAX)); };
        out_.sizes_ = {sizes["format"].text(), size("parameters"), size("active_parameters"), size("bytes_per_token")};
        for (const JsonNode& name : node["has"].items()) out_.record_.has.insert(name.text());
        for (const auto& [name, ignored] : node["values"].members().items()) values(name, node["values"][name]);
        for (const auto& [name, ignored] : node["matrices"].members().items()) matrix(name, node["matrices"][name]);
    }

    std::span<const std::uint8_t> part(const JsonNode& node) {
        const auto at = std::uint64_t(node.at(0).integer(0, INT64_MAX)), n = std::uint64_t(node.at(1).integer(0, INT64_MAX));
        if (at <= parts_.size() && n <= parts_.size() - at) return parts_.subspan(std::size_t(at), std::size_t(n));
        node.wrong("a part of the file");
        return {};
    }

    template <class T>
    std::vector<T> list(const JsonNode& node) {
        const auto bytes = part(node);
        std::vector<T> out(bytes.size() / sizeof(T));
        if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
        return out;
    }

    void values(const std::string& name, const JsonNode& node) {
        auto& [dims, values] = out_.record_.values[name];
        std::uint64_t n = 1;
        for (const JsonNode& dim : node["dims"].items()) {
            dims.push_back(std::uint64_t(dim.integer(0, INT32_MAX)));
            if (__builtin_mul_overflow(n, dims.back(), &n)) return node["dims"].wrong("a shape that can be counted");
        }
        values = list<float>(node["at"]);
        if (values.size() != n) node["at"].wrong("as many values as the shape has");
    }

    void matrix(const std::string& name, const JsonNode& node) {
        ConvertedMatrix& m = out_.record_.matrices[name];
        const auto format = format_called(node["format"].text());
        if (!format) return node["format"].refuse("a format of this version");
        m.format = *format;
        m.rows = int(node["rows"].integer(1, INT32_MAX)), m.cols = int(node["cols"].integer(1, INT32_MAX)), m.count = int(node["count"].integer(1, 1 << 20)), m.inputs = int(node["inputs"].integer(1, m.cols));
        if (m.cols % info(m.format).values != 0) node["cols"].wrong("whole blocks");
        m.eight_bits = node["eight_bits"].flag(false);
        if (m.eight_bits && m.format != Format::int4) node["eight_bits"].wrong("false but of INT4");
        if (!node["scales"].absent()) m.scales = list<float>(node["scales"]);
        if (!node["order"].absent()) m.order = list<std::int32_t>(node["order"]);
        if (!m.scales.empty() && m.scales.size() != std::size_t(m.count)) node["scales"].wrong("one for each matrix");
        const auto outside = [&](std::int32_t c) { return c < 0 || c >= m.inputs; };
        if (m.order.empty() && m.inputs != m.cols) node["order"].wrong("columns of each matrix");
        if (!m.order.empty() && (m.order.size() != std::size_t(m.count) * std::size_t(m.cols) || std::ranges::any_of(m.order, outside))) node["order"].wrong("columns of each matrix");
    }

    base::Result<void> source(const JsonNode& node) {
        std::map<std::string, std::string> texts;
        std::span<const std::uint8_t> gguf;
        for (const auto& [name, ignored] : node["texts"].members().items()) {
            const auto bytes = part(node["texts"][name]);
            if (name == "gguf") gguf = bytes;
            else texts.emplace(name, std::string(bytes.begin(), bytes.end()));
        }
        const bool of_gguf = node["source"].text() == "gguf";
        if (problem_.first) return *problem_.first;
        if (of_gguf) {
            auto head = Gguf::read_head(out_.path_, gguf);
            if (!head) return std::move(head).error();
            out_.source_ = std::make_unique<GgufFile>(*std::move(head));
            return {};
        }
        auto described = Checkpoint::describe(out_.path_, CheckpointFiles::carried(out_.path_, std::move(texts)));
        if (!described) return std::move(described).error();
        out_.source_ = *std::move(described);
        return {};
    }

    ConvertedFile& out_;
    std::span<const std::uint8_t> bytes_, parts_;
    text::JsonProblem problem_;
};

bool ConvertedFile::is_one(const std::filesystem::path& path) {
    std::error_code unreadable;
    if (!std::filesystem::is_regular_file(path, unreadable)) return false;
    std::ifstream in(path, std::ios::binary);
    char found[kMagic.size()] = {};
    return in.read(found, sizeof found) && std::string_view(found, sizeof found) == kMagic;
}

base::Result<std::unique_ptr<ModelFile>> ConvertedFile::open(const std::filesystem::path& path) {
    auto file = MappedFile::open(path, kImageAlignment);
    if (!file) return std::move(file).error();
    std::unique_ptr<ConvertedFile> out(new ConvertedFile(path));
    out->file_ = *std::move(file);
    if (auto read = ConvertedReader(*out).read(); !read) return std::move(read).error();
    return std::unique_ptr<ModelFile>(std::move(out));
}

base::Result<Config> ConvertedFile::config() const {
    auto config = source_->config();
    if (config) config->name = name_;
    return config;
}

std::unique_ptr<TensorSource> ConvertedFile::tensors(const Config&) const { return std::make_unique<ConvertedTensors>(*this); }

base::Error ConvertedFile::error(std::string what, Code code) const {
    return base::error(code, path_.string() + ": " + std::move(what), code == Code::corrupt ? "the file is damaged or was not copied whole: copy or convert it again" : "");
}

}  // namespace engine
