// An encoder out of a folder as sentence-transformers writes it, or with Hugging Face's own files alone.
#include <algorithm>
#include <cstring>
#include <functional>

#include "engine/model/checkpoint_config.h"
#include "engine/model/checkpoint_files.h"
#include "engine/model/draft_blocks.h"
#include "engine/model/encoder_file.h"
#include "engine/model/safetensors.h"
#include "text/json_node.h"
#include "text/normalizer.h"
#include "text/tokenizer_json.h"

namespace engine {
namespace {

using base::Code;
using text::JsonNode;
namespace fs = std::filesystem;

constexpr std::int64_t kMostLayers = 4096, kMostWidth = 1 << 20;

// The names of GGUF's tensors there; those of a block stand below "encoder.layer.N.".
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"token_embd", "embeddings.word_embeddings"},
    {"position_embd", "embeddings.position_embeddings"},
    {"token_types", "embeddings.token_type_embeddings"},
    {"token_embd_norm", "embeddings.LayerNorm"},
    {"attn_q", "attention.self.query"},
    {"attn_k", "attention.self.key"},
    {"attn_v", "attention.self.value"},
    {"attn_output", "attention.output.dense"},
    {"attn_output_norm", "attention.output.LayerNorm"},
    {"ffn_up", "intermediate.dense"},
    {"ffn_down", "output.dense"},
    {"layer_output_norm", "output.LayerNorm"},
};

// "blk.0.attn_q.weight" → "encoder.layer.0.attention.self.query.weight"
std::string name_there(const std::string& name) {
    const std::string_view block = "blk.";
    const std::size_t last = name.rfind('.');
    std::size_t begin = 0;
    std::string out;
    if (name.starts_with(block)) {
        begin = name.find('.', block.size()) + 1;
        out = "encoder.layer." + name.substr(block.size(), begin - block.size());
    }
    for (const auto& [here, there] : kNames)
        if (here == std::string_view(name).substr(begin, last - begin)) return out + std::string(there) + name.substr(last);
    return name;
}

constexpr const char* kPrefixes[] = {"", "bert.", "roberta."};  // the latter of checkpoints with a head of their own

std::optional<Format> format_of(Dtype dtype) {
    switch (dtype) {
        case Dtype::f32: return Format::f32;
        case Dtype::f16: return Format::f16;
        case Dtype::bf16: return Format::bf16;
        default: return std::nullopt;
    }
}

class FolderEncoder final : public EncoderFile {
public:
    FolderEncoder(std::unique_ptr<Safetensors> file, int first_position) : file_(std::move(file)), first_position_(first_position) {}

    std::optional<StoredTensor> find(const std::string& name) const override {
        const SafeTensor* tensor = tensor_of(name);
        const auto format = tensor ? format_of(tensor->dtype) : std::nullopt;
        if (!format) return std::nullopt;
        StoredTensor out{*format, tensor->shape, tensor->data};
        if (name == "position_embd.weight" && !out.shape.empty() && out.shape[0] > std::uint64_t(first_position_)) {
            out.data = out.data.subspan(out.data.size() / out.shape[0] * std::size_t(first_position_));
            out.shape[0] -= std::uint64_t(first_position_);
        }
        return out;
    }
    void release(const StoredTensor& tensor) const override {
        for (const SafeTensor& one : file_->tensors())
            if (one.data.data() == tensor.data.data()) return file_->release(one, tensor.data);
    }
    // Poolers and heads for other tasks lie behind the states, which are all that is taken here; positions' ids are counted.
    base::Result<void> finish(const std::set<std::string>& used) const override {
        std::set<const SafeTensor*> known;
        for (const std::string& name : used) known.insert(tensor_of(name));
        for (const SafeTensor& tensor : file_->tensors()) {
            const auto below = [&](const char* prefix) { return tensor.name.starts_with(prefix + std::string("embeddings.")) || tensor.name.starts_with(prefix + std::string("encoder.")); };
            if (!known.contains(&tensor) && !tensor.name.ends_with("_ids") && std::ranges::any_of(kPrefixes, below)) return file_->error(tensor, "is used by nothing in an encoder", Code::unsupported);
        }
        return {};
    }
    std::uint64_t bytes() const override { return file_->file_bytes(); }
    base::Error error(std::string what, Code code) const override { return base::error(code, file_->path().string() + ": " + what, code == Code::corrupt ? kFetchAgain : ""); }

    // Tensors of a kind that this engine does not compute with, and of layers that the configuration does not count.
    base::Result<void> check(int layers) const {
        for (const char* prefix : kPrefixes) {
            DraftBlocks blocks(prefix + std::string("encoder.layer."), layers, 0);
            for (const SafeTensor& tensor : file_->tensors()) blocks.see(tensor.name);
            for (const SafeTensor& tensor : file_->tensors())
                if (const auto stray = blocks.stray(tensor.name, "num_hidden_layers")) return file_->error(tensor, *stray);
        }
        for (const SafeTensor& tensor : file_->tensors())
            if (tensor.name.ends_with(".weight") && !format_of(tensor.dtype))
                return file_->error(tensor, "is " + std::string(info(tensor.dtype).name) + "; this engine runs encoders of F32, F16 and BF16", Code::unsupported);
        return {};
    }

private:
    const SafeTensor* tensor_of(const std::string& name) const {
        const std::string there = name_there(name);
        for (const char* prefix : kPrefixes)
            if (const SafeTensor* tensor = file_->tensor(prefix + there)) return tensor;
        return nullptr;
    }
    std::unique_ptr<Safetensors> file_;
    int first_position_;  // its row of positions is that of a text's first token
};

// Hands one JSON file of the folder to `read`; false where it is not there.
base::Result<bool> with_json(const fs::path& path, const std::function<void(const JsonNode&)>& read) {
    const CheckpointFiles files = CheckpointFiles::in(path.parent_path());
    const std::string name = path.filename();
    if (!files.has(name.c_str())) return false;
    const auto json = files.json(name.c_str());
    if (!json) return json.error();
    text::JsonProblem problem{path.string(), {}};
    read(JsonNode(&*json, "", problem));
    if (problem.first) return *std::move(problem.first);
    return true;
}

// RoBERTa (Liu et al. 2019) is BERT whose positions are counted from behind that of padding.
bool is_roberta(const std::string& type) { return type == "roberta" || type == "xlm-roberta"; }

// The row of positions for a text's first token.
int read_model(const JsonNode& json, EncoderConfig& c) {
    const auto only = [&](const char* key, const std::string& otherwise, const char* known) {
        if (json[key].text(otherwise) != known) json[key].refuse("\"" + std::string(known) + "\" only");
    };
    const std::string type = json["model_type"].text("");
    if (type != "bert" && !is_roberta(type)) json["model_type"].refuse("bert, roberta and xlm-roberta");
    only("hidden_act", "gelu", "gelu");
    only("position_embedding_type", "absolute", "absolute");
    if (json["is_decoder"].flag(false)) json["is_decoder"].refuse("encoders here");
    c.layers = int(json["num_hidden_layers"].integer(1, kMostLayers));
    c.hidden = int(json["hidden_size"].integer(1, kMostWidth));
    c.ffn = int(json["intermediate_size"].integer(1, kMostWidth));
    c.heads = int(json["num_attention_heads"].integer(1, kMostWidth));
    c.vocabulary = int(json["vocab_size"].integer(1, INT32_MAX));
    const int first = is_roberta(type) ? int(json["pad_token_id"].integer(0, kMostWidth, 1)) + 1 : 0;
    c.positions = c.context = int(json["max_position_embeddings"].integer(first + 1, kMostWidth)) - first;
    c.token_types = int(json["type_vocab_size"].integer(1, kMostWidth, 2));
    c.norm_epsilon = json["layer_norm_eps"].absent() ? 1e-12f : float(json["layer_norm_eps"].number());
    if (c.norm_epsilon < 0) json["layer_norm_eps"].wrong("a number from 0");
    if (c.hidden % c.heads != 0) json["num_attention_heads"].wrong("a divisor of hidden_size " + std::to_string(c.hidden));
    return first;
}

// Flags of sentence-transformers 2 to 4, or one name.
void read_pooling(const JsonNode& json, EncoderConfig& c) {
    const std::pair<const char*, Pooling> known[] = {{"mean", Pooling::mean}, {"cls", Pooling::cls}, {"lasttoken", Pooling::last}, {"max", Pooling::max}};
    std::string chosen = json["pooling_mode"].text("");
    for (const auto& [key, value] : json.members().items()) {
        if (!key.starts_with("pooling_mode_") || !json[key].flag(false)) continue;
        if (!chosen.empty()) return json[key].refuse("one way of pooling, and '" + chosen + "' is another");
        chosen = key.substr(std::strlen("pooling_mode_"));
        if (const auto end = chosen.rfind("_token"); end != chosen.npos) chosen.resize(end);
    }
    for (const auto& [name, pooling] : known)
        if (chosen == name || (chosen.empty() && pooling == Pooling::mean)) {
            c.pooling = pooling;
            return;
        }
    json[json["pooling_mode"].absent() ? "pooling_mode_" + chosen + "_tokens" : "pooling_mode"].refuse("cls, mean, max and lasttoken");
}

// What modules.json lists, in order: where each part's files lie.
struct Modules {
    fs::path transformer, pooling;
    bool normalise = false;
};

void read_modules(const JsonNode& json, Modules& out) {
    out.normalise = false;
    for (const JsonNode& module : json.items()) {
        const std::string type = module["type"].text(), kind = type.substr(type.rfind('.') + 1), path = module["path"].text("");
        if (kind == "Transformer") out.transformer = path;
        else if (kind == "Pooling") out.pooling = path;
        else if (kind == "Normalize") out.normalise = true;
        else module["type"].refuse("Transformer, Pooling and Normalize");
    }
}

// Texts are cut into words and word pieces as BERT does it; tokens are lines.
base::Result<text::Vocabulary> read_word_list(const fs::path& folder) {
    const CheckpointFiles files = CheckpointFiles::in(folder);
    if (!files.has("vocab.txt")) return base::error(Code::not_found, folder.string() + " has neither tokenizer.json nor vocab.txt", "fetch the whole folder");
    const auto list = files.text("vocab.txt");
    if (!list) return list.error();
    text::Vocabulary v;
    v.kind = text::Vocabulary::Kind::word_piece;
    v.continuation = "##";
    for (std::size_t at = 0; at < list->size();) {
        const std::size_t end = std::min(list->find('\n', at), list->size());
        std::string token = list->substr(at, end - at);
        if (token.ends_with('\r')) token.pop_back();
        const std::pair<const char*, text::TokenId*> special[] = {{"[PAD]", &v.padding}, {"[UNK]", &v.unknown}, {"[CLS]", &v.bos}, {"[SEP]", &v.eos}, {"[MASK]", nullptr}};
        auto type = text::TokenType::normal;
        for (const auto& [name, id] : special)
            if (token == name) {
                type = id == &v.unknown ? text::TokenType::unknown : text::TokenType::control;
                if (id) *id = text::TokenId(v.tokens.size());
            }
        v.tokens.push_back(std::move(token));
        v.types.push_back(type);
        at = end + 1;
    }
    text::BertNormalizer normalizer;
    auto done = with_json(folder / "tokenizer_config.json", [&](const JsonNode& json) {
        normalizer.lowercase = json["do_lower_case"].flag(true);
        normalizer.strip_accents = json["strip_accents"].flag(normalizer.lowercase);
        normalizer.space_ideographs = json["tokenize_chinese_chars"].flag(true);
    });
    if (!done) return std::move(done).error();
    v.normalizer = normalizer.steps();
    return v;
}

base::Result<text::Vocabulary> read_tokens(const fs::path& folder) {
    const CheckpointFiles files = CheckpointFiles::in(folder);
    const char* const name = "tokenizer.json";
    if (!files.has(name)) return read_word_list(folder);
    const auto json = files.text(name);
    if (!json) return json.error();
    return text::read_tokenizer_json(*json, files.shown(name));
}

}  // namespace

base::Result<std::unique_ptr<EncoderFile>> open_encoder_folder(const fs::path& folder) {
    Modules modules;
    EncoderConfig config;
    int first_position = 0;
    // Without modules.json it is a bare model, for which sentence-transformers takes the mean.
    auto listed = with_json(folder / "modules.json", [&](const JsonNode& json) { read_modules(json, modules); });
    if (!listed) return std::move(listed).error();
    const fs::path transformer = folder / modules.transformer;
    base::Result<void> known{};
    auto described = with_json(transformer / "config.json", [&](const JsonNode& json) {
        first_position = read_model(json, config);
        if (!*listed) known = check_class(json.value(), (transformer / "config.json").string());  // else the list says what it is for
    });
    if (!described) return std::move(described).error();
    if (!known) return std::move(known).error();
    if (!*described) return base::error(Code::not_found, folder.string() + " has no config.json", "fetch the whole folder");
    bool lowercase = false;
    auto cut = with_json(transformer / "sentence_bert_config.json", [&](const JsonNode& json) {
        config.context = int(json["max_seq_length"].integer(1, config.positions, config.positions));
        lowercase = json["do_lower_case"].flag(false);
    });
    if (!cut) return std::move(cut).error();
    if (!modules.pooling.empty()) {
        auto pooled = with_json(folder / modules.pooling / "config.json", [&](const JsonNode& json) { read_pooling(json, config); });
        if (!pooled) return std::move(pooled).error();
        if (!*pooled) return base::error(Code::not_found, (folder / modules.pooling / "config.json").string() + " is missing", "fetch the whole folder");
    }
    auto prompts = with_json(folder / "config_sentence_transformers.json", [&](const JsonNode& json) {
        if (!json["default_prompt_name"].absent()) json["default_prompt_name"].refuse("models that put nothing before a text by themselves");
    });
    if (!prompts) return std::move(prompts).error();
    config.normalise = modules.normalise;
    config.name = fs::canonical(folder).filename().string();

    auto tensors = Safetensors::open(transformer);
    if (!tensors) return std::move(tensors).error();
    auto out = std::make_unique<FolderEncoder>(*std::move(tensors), first_position);
    if (auto known = out->check(config.layers); !known) return std::move(known).error();
    auto vocabulary = read_tokens(transformer);
    if (!vocabulary) return std::move(vocabulary).error();
    out->config = std::move(config);
    out->vocabulary = *std::move(vocabulary);
    if (lowercase) out->vocabulary.normalizer->insert(out->vocabulary.normalizer->begin(), {.kind = text::NormalizerStep::Kind::lowercase});
    return std::unique_ptr<EncoderFile>(std::move(out));
}

bool is_encoder_folder(const fs::path& folder) {
    std::string type;
    const auto read = [&](const JsonNode& json) { type = json["model_type"].text(""); };
    // The oldest folders have the model in one of its own.
    const auto found = with_json(folder / "config.json", read), below = found && !*found ? with_json(folder / "0_Transformer" / "config.json", read) : false;
    return found && below && (type == "bert" || is_roberta(type));
}

}  // namespace engine
