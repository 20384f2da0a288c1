// A model that hearth model convert wrote: one file with everything of its source, whose weights are mapped as the kernels
// of a target want them.
//
//   "HearthM1" | u64 checksum of all that follows up to the image | u64 bytes of the index | u64 where the image begins |
//   u64 its bytes | zeros up to 64 | index (JSON) | parts, 64 bytes aligned | image, 2 MiB aligned, to the end of the file
//   index: {"version", "target", "packing", "layout": see WeightImage, "source": "gguf" or "checkpoint", "name", "sizes",
//           "texts": {name: part}, "has": [name], "values": {name: {"dims", "at": part}},
//           "matrices": {name: {"format", "rows", "cols", "count", "inputs", "eight_bits", "scales": part, "order": part}}, "checksums": part,
//           "piece_checksums": part of mixtures, see image_pieces}
//   A part is [offset from the end of the index, aligned; bytes]. The GGUF's head is the text "gguf".
#pragma once

#include <map>
#include <set>

#include "base/json.h"
#include "engine/model/mapped_file.h"
#include "engine/model/model_file.h"
#include "engine/model/weight_image.h"

namespace engine {

struct ConvertedMatrix {
    Format format = Format::f32;
    int rows = 0, cols = 0, count = 0, inputs = 0;  // cols: as they are stored
    bool eight_bits = false;
    std::vector<float> scales;
    std::vector<std::int32_t> order;
};

// What the builder asked of a source, and the answers, but for the matrices' values.
struct SourceRecord {
    std::set<std::string> has;
    std::map<std::string, ConvertedMatrix> matrices;
    std::map<std::string, std::pair<std::vector<std::uint64_t>, std::vector<float>>> values;  // dimensions and values
};

class ConvertedFile final : public ModelFile {
public:
    static constexpr std::string_view kMagic = "HearthM1";
    static constexpr int kVersion = 1;
    static constexpr std::size_t kPreamble = 64, kSummed = 16, kPartAlignment = 64, kImageAlignment = 2 << 20;

    static bool is_one(const std::filesystem::path& path);
    static base::Result<std::unique_ptr<ModelFile>> open(const std::filesystem::path& path);

    const std::filesystem::path& path() const override { return path_; }
    std::uint64_t file_bytes() const override { return file_->bytes().size(); }
    bool is_whole() const override { return file_->is_whole(); }
    base::Result<Config> config() const override;
    base::Result<text::Vocabulary> vocabulary() const override { return source_->vocabulary(); }
    base::Result<Sampling> sampling() const override { return source_->sampling(); }
    base::Result<ChatTemplates> chat_templates() const override { return source_->chat_templates(); }
    std::unique_ptr<TensorSource> tensors(const Config& config) const override;
    base::Result<Sizes> sizes(const Config&) const override { return sizes_; }
    base::Error error(std::string what, base::Code code) const override;
    std::vector<Unsaid> unsaid(const Config& config) const override { return source_->unsaid(config); }
    const WeightImage* image() const override { return &image_; }

    const SourceRecord& record() const { return record_; }

private:
    friend class ConvertedReader;
    explicit ConvertedFile(std::filesystem::path path) : path_(std::move(path)) {}

    std::filesystem::path path_;
    std::unique_ptr<MappedFile> file_;
    std::unique_ptr<ModelFile> source_;  // for what is no weight
    std::string name_;
    Sizes sizes_;
    SourceRecord record_;
    WeightImage image_;
};

}  // namespace engine
