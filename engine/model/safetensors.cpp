// Opening one file or the shards of an index.
#include "engine/model/safetensors.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace engine {
namespace {

using base::Code;

constexpr std::size_t kMaxIndex = 100'000'000;

// The index's JSON event by event: {"metadata": …, "weight_map": {tensor: file}}.
class IndexEvents : public nlohmann::json_sax<nlohmann::json> {
public:
    std::unordered_map<std::string, std::string> files;  // by tensor
    bool has_map = false;
    std::string problem;

    bool null() override { return other("null"); }
    bool boolean(bool) override { return other("a boolean"); }
    bool number_integer(number_integer_t) override { return other("a number"); }
    bool number_unsigned(number_unsigned_t) override { return other("a number"); }
    bool number_float(number_float_t, const string_t&) override { return other("a number"); }
    bool binary(binary_t&) override { return other("bytes"); }
    bool string(string_t& value) override {
        if (depth_ != 2 || !in_map_) return other("a string");
        if (!files.emplace(field_, value).second) return fail("names tensor '" + field_.substr(0, 100) + "' twice");
        return true;
    }
    bool start_object(std::size_t) override {
        if (depth_ == 1 && field_ == "weight_map") {
            if (has_map) return fail("has weight_map twice");
            has_map = in_map_ = true;
        } else if (in_map_ || depth_ > kDeepest) {
            return other("an object");
        }
        ++depth_;
        return true;
    }
    bool end_object() override {
        if (--depth_ == 1) in_map_ = false;
        return true;
    }
    bool start_array(std::size_t) override {
        if (depth_ == 0 || in_map_ || depth_ > kDeepest || (depth_ == 1 && field_ == "weight_map")) return other("an array");
        ++depth_;
        return true;
    }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool key(string_t& name) override {
        field_ = name;
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return fail("is not JSON at byte " + std::to_string(position));
    }

private:
    static constexpr int kDeepest = 16;

    bool fail(std::string what) {
        if (problem.empty()) problem = std::move(what);
        return false;
    }
    // What only metadata may hold.
    bool other(const std::string& found) {
        if (depth_ > kDeepest) return fail("is nested too deep");
        if (depth_ == 0) return fail("is " + found + ", expected an object");
        if (depth_ == 1 && field_ == "weight_map") return fail("has a weight_map that is " + found + ", expected an object");
        return !in_map_ || fail("has weight_map entry '" + field_.substr(0, 100) + "' that is " + found + ", expected a file name");
    }

    int depth_ = 0;
    bool in_map_ = false;
    std::string field_;
};

constexpr const char* kShards = "fetch all files of the model into one folder, and model.safetensors.index.json with them";

// NAME-00001-of-00003.safetensors, but not an only one.
bool is_shard(const std::filesystem::path& path) {
    const std::string stem = path.stem().string(), form = "-00000-of-00000";
    if (path.extension() != ".safetensors" || stem.size() < form.size() || stem.ends_with("-of-00001")) return false;
    return std::equal(form.begin(), form.end(), stem.end() - std::ptrdiff_t(form.size()), [](char wanted, char found) { return wanted == '0' ? found >= '0' && found <= '9' : wanted == found; });
}

// For a folder without a model that has a name of its own: what lies there tells.
std::string remedy_of(const std::filesystem::path& folder) {
    std::filesystem::path gguf;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (is_shard(entry.path())) return kShards;
        if (entry.path().extension() == ".gguf" && (gguf.empty() || entry.path() < gguf)) gguf = entry.path();
    }
    if (!gguf.empty()) return "name the GGUF by its file, of one in parts the first: " + gguf.string();
    return "name a GGUF by its file, or the folder of a model in safetensors: pickled weights (.bin, .pt) are not read";
}

// A shard lies beside its index: a name that leads anywhere else is refused.
bool plain_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

const SafeTensor* Safetensors::tensor(std::string_view name) const {
    const auto it = index_.find(std::string(name));
    return it == index_.end() ? nullptr : &tensors_[it->second];
}

bool Safetensors::is_whole() const {
    return std::ranges::all_of(files_, [](const auto& file) { return file->is_whole(); });
}

std::uint64_t Safetensors::file_bytes() const {
    std::uint64_t out = 0;
    for (const auto& file : files_) out += file->bytes().size();
    return out;
}

base::Error Safetensors::error(const SafeTensor& tensor, std::string what, Code code) const {
    return base::error(code, names_[tensor.file].string() + ": tensor '" + tensor.name + "' " + std::move(what),
                       code == Code::corrupt ? kFetchAgain : "");
}

base::Result<void> Safetensors::open_one(const std::filesystem::path& path) {
    auto file = MappedFile::open(path);
    if (!file) return std::move(file).error();
    auto tensors = read_safetensors_header((*file)->bytes(), path.string());
    if (!tensors) return std::move(tensors).error();
    for (SafeTensor& tensor : *tensors) {
        tensor.file = files_.size();
        tensors_.push_back(std::move(tensor));
    }
    files_.push_back(*std::move(file));
    names_.push_back(path);
    return {};
}

base::Result<void> Safetensors::open_shards(const std::filesystem::path& path) {
    const auto error = [&](std::string what) { return base::error(Code::corrupt, path.string() + ": " + std::move(what), kFetchAgain); };
    auto file = MappedFile::open(path);
    if (!file) return std::move(file).error();
    const auto text = (*file)->bytes();
    if (text.size() > kMaxIndex) return error("has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(kMaxIndex) + " allowed");
    IndexEvents events;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &events)) return error(events.problem);
    if (!events.has_map) return error("has no weight_map");
    std::map<std::string, std::size_t> wanted;  // tensors of each shard
    for (const auto& [tensor, shard] : events.files) {
        if (!plain_name(shard)) return error("puts tensor '" + tensor.substr(0, 100) + "' into '" + shard.substr(0, 100) + "', expected a file beside it");
        ++wanted[shard];
    }
    for (const auto& [shard, count] : wanted) {
        const std::size_t first = tensors_.size();
        std::error_code unreadable;
        if (!std::filesystem::exists(path.parent_path() / shard, unreadable))
            return base::error(Code::not_found, (path.parent_path() / shard).string() + ": is missing: one of the " + std::to_string(wanted.size()) + " files of " + path.string(), "fetch all of them into one folder");
        if (auto done = open_one(path.parent_path() / shard); !done) return done;
        // The index decides where a tensor is read from; what it does not name is not part of the model.
        const auto elsewhere = [&, &shard = shard](const SafeTensor& t) {
            const auto it = events.files.find(t.name);
            return it == events.files.end() || it->second != shard;
        };
        tensors_.erase(std::remove_if(tensors_.begin() + std::ptrdiff_t(first), tensors_.end(), elsewhere), tensors_.end());
        if (tensors_.size() - first == count) continue;
        std::unordered_map<std::string, bool> there;
        for (std::size_t i = first; i < tensors_.size(); ++i) there[tensors_[i].name] = true;
        for (const auto& [tensor, in] : events.files)
            if (in == shard && !there.count(tensor)) return error("puts tensor '" + tensor.substr(0, 100) + "' into " + shard + ", which does not hold it");
    }
    return {};
}

base::Result<std::unique_ptr<Safetensors>> Safetensors::open(const std::filesystem::path& path) {
    std::filesystem::path file = path;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        file = path / "model.safetensors";
        if (!std::filesystem::exists(file, ignored)) file = path / "model.safetensors.index.json";
        if (!std::filesystem::exists(file, ignored))
            return base::error(Code::not_found, path.string() + " holds neither model.safetensors nor model.safetensors.index.json", remedy_of(path));
    } else if (is_shard(path)) {  // one of several is no model
        const std::filesystem::path index = path.parent_path() / "model.safetensors.index.json";
        if (!std::filesystem::exists(index, ignored)) return base::error(Code::not_found, index.string() + " is missing: " + path.filename().string() + " is one of a model's files", kShards);
        file = index;
    }
    std::unique_ptr<Safetensors> out(new Safetensors);
    out->path_ = path;
    if (auto done = file.extension() == ".json" ? out->open_shards(file) : out->open_one(file); !done) return std::move(done).error();
    for (std::size_t i = 0; i < out->tensors_.size(); ++i) out->index_.emplace(out->tensors_[i].name, i);
    return out;
}

}  // namespace engine
