#include "engine/model/checkpoint_files.h"

#include <algorithm>
#include <utility>

#include "engine/model/mapped_file.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

constexpr std::size_t kMostText = 200'000'000;  // bytes of a file
constexpr const char* kNames[] = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tiktoken.model", "tokenizer_config.json",
                                  "chat_template.json", "hf_quant_config.json"};
constexpr const char* kTemplate = "chat_template.jinja";
const std::string kMoreTemplates = "additional_chat_templates/";
constexpr std::size_t kMostTemplates = 100;

// Python writes infinities and NaN as JSON does not: each becomes an object, as newer versions of it have them.
std::string as_json(const std::string& text) {
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (!quoted)
            for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
                if (std::string_view(text).substr(i).starts_with(word)) {
                    out += "{\"__float__\": \"" + std::string(word) + "\"}";
                    i += word.size();
                    break;
                }
        if (i >= text.size()) break;
        out += text[i];
        if (quoted && text[i] == '\\' && i + 1 < text.size()) out += text[++i];
    }
    return out;
}

}  // namespace

CheckpointFiles CheckpointFiles::in(fs::path folder) {
    CheckpointFiles out;
    out.at_ = std::move(folder);
    return out;
}

CheckpointFiles CheckpointFiles::carried(fs::path carrier, std::map<std::string, std::string> by_name) {
    CheckpointFiles out;
    out.at_ = std::move(carrier);
    out.carried_ = true;
    out.by_name_ = std::move(by_name);
    return out;
}

std::vector<std::pair<std::string, std::string>> CheckpointFiles::templates() const {
    std::vector<std::string> files;
    std::error_code unreadable;
    if (carried_)
        for (const auto& [name, ignored] : by_name_) files.push_back(name);
    else
        for (const auto& entry : fs::directory_iterator(at_ / kMoreTemplates, unreadable)) files.push_back(kMoreTemplates + entry.path().filename().string());
    std::ranges::sort(files);
    std::vector<std::pair<std::string, std::string>> out;
    if (has(kTemplate)) out.emplace_back("default", kTemplate);
    for (const std::string& file : files)
        if (file.starts_with(kMoreTemplates) && file.ends_with(".jinja") && out.size() < kMostTemplates)
            out.emplace_back(fs::path(file).stem().string(), file);
    return out;
}

std::vector<std::string> CheckpointFiles::present() const {
    std::vector<std::string> out;
    for (const char* name : kNames)
        if (has(name)) out.emplace_back(name);
    for (const auto& [name, file] : templates()) out.push_back(file);
    return out;
}

bool CheckpointFiles::has(const char* name) const {
    if (carried_) return by_name_.contains(name);
    std::error_code ignored;
    return fs::exists(at_ / name, ignored);
}

std::string CheckpointFiles::shown(const char* name) const { return carried_ ? at_.string() + ": " + name : (at_ / name).string(); }

base::Result<std::string> CheckpointFiles::text(const char* name) const {
    if (carried_) {
        const auto it = by_name_.find(name);
        if (it == by_name_.end()) return base::error(Code::not_found, shown(name) + " is missing");
        return it->second;
    }
    auto file = MappedFile::open(at_ / name);
    if (!file) return std::move(file).error();
    const auto bytes = (*file)->bytes();
    if (bytes.size() > kMostText)
        return base::error(Code::corrupt, shown(name) + ": has " + std::to_string(bytes.size()) + " bytes, at most " + std::to_string(kMostText) + " allowed");
    return std::string(bytes.begin(), bytes.end());
}

base::Result<Json> CheckpointFiles::json(const char* name) const {
    if (!has(name)) return Json();
    auto text = this->text(name);
    if (!text) return std::move(text).error();
    auto parsed = base::parse_json(as_json(*text));
    if (!parsed) return base::error(Code::corrupt, shown(name) + ": " + parsed.error().message, kFetchAgain);
    return parsed;
}

}  // namespace engine
