#include "engine/model/quantisation.h"

#include <algorithm>

#include "engine/model/mapped_file.h"
#include "text/json_node.h"

namespace engine {
namespace {

using base::Code;
using base::Json;
using Kind = Linear::Kind;

struct KindsRow {
    const char* name;
    std::vector<Kind> kinds;  // besides plain
};
using KindsRows = std::vector<KindsRow>;
const KindsRows& methods() {
    static const KindsRows rows = {
        {"fp8", {Kind::fp8}},
        {"compressed-tensors", {Kind::fp8, Kind::packed, Kind::bytes, Kind::nvfp4, Kind::mxfp4}},
        {"gptq", {Kind::gptq}},
        {"awq", {Kind::awq}},
        {"modelopt", {Kind::fp8, Kind::nvfp4}},
        {"mxfp4", {Kind::mxfp4}},
    };
    return rows;
}

// Of compressed-tensors.
const KindsRows& formats() {
    static const KindsRows rows = {
        {"dense", {}},
        {"pack-quantized", {Kind::packed}},
        {"int-quantized", {Kind::bytes}},
        {"float-quantized", {Kind::fp8}},
        {"naive-quantized", {Kind::fp8, Kind::bytes}},
        {"nvfp4-pack-quantized", {Kind::nvfp4}},
        {"mxfp4-pack-quantized", {Kind::mxfp4}},
        {"mixed-precision", {Kind::fp8, Kind::packed, Kind::bytes, Kind::nvfp4, Kind::mxfp4}},
    };
    return rows;
}

const KindsRows& types() {
    static const KindsRows rows = {{"int", {Kind::packed, Kind::bytes}}, {"float", {Kind::fp8, Kind::nvfp4, Kind::mxfp4}}};
    return rows;
}

const KindsRows& algorithms() {
    static const KindsRows rows = {{"NVFP4", {Kind::nvfp4}}, {"FP8", {Kind::fp8}}};
    return rows;
}

std::string names_in(const KindsRows& rows) {
    std::string out;
    for (const KindsRow& row : rows) out += (out.empty() ? "" : ", ") + std::string(row.name);
    return out;
}

const KindsRow* row_in(const KindsRows& rows, const std::string& name) {
    const auto it = std::ranges::find_if(rows, [&](const KindsRow& row) { return name == row.name; });
    return it == rows.end() ? nullptr : &*it;
}

// A key that says nothing is left; one that no row knows is refused.
void hear(const text::JsonNode& key, const KindsRows& rows, std::vector<SaidKinds>& to) {
    if (key.absent()) return;
    if (const KindsRow* const row = row_in(rows, key.text())) to.push_back({"key '" + key.path() + "' is " + key.shown(), row->kinds});
    else key.refuse(names_in(rows));
}

std::optional<bool> flag_if_said(const text::JsonNode& key) {
    if (key.absent()) return std::nullopt;
    return key.flag(false);
}

// What would change the arithmetic of compressed-tensors.
void check_compressed(const text::JsonNode& node) {
    const text::JsonNode transforms = node["transform_config"], sparsity = node["sparsity_config"];
    if (!transforms.absent() && transforms.members().size() > 0 && (transforms.members().size() > 1 || transforms["config_groups"].value().size() > 0))
        transforms.refuse("no transforms of weights or activations");
    if (!sparsity.absent() && sparsity.members().size() > 0 && sparsity["format"].text("") != "dense") sparsity.refuse("no sparse weights, or format dense");
}

// What the other methods say that this engine does not have.
void check_method(const text::JsonNode& node, const std::string& method) {
    if (method == "compressed-tensors") check_compressed(node);
    if (const auto bits = node["bits"].integer(1, 64, 4); (method == "gptq" && bits != 4 && bits != 8) || (method == "awq" && bits != 4))
        node["bits"].refuse(method == "gptq" ? "4 or 8" : "4");
    const auto only = [&](const char* key, std::string_view one, std::string_view other) {
        if (const std::string said = node[key].text(std::string(one)); said != one && said != other) node[key].refuse(std::string(one) + " or " + std::string(other));
    };
    if (method == "awq") only("version", "gemm", "GEMM");
    if (method == "fp8") only("fmt", "e4m3", "float8_e4m3fn");
    if (method != "gptq") return;
    only("checkpoint_format", "gptq", "gptq_v2");
    if (node["is_marlin_format"].flag(false)) node["is_marlin_format"].refuse("false");
}

// The last parts of the names of modules that every method quantises.
constexpr std::string_view kProjections[] = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "gate_up_proj", "w1", "w2", "w3"};

// Those that modelopt leaves out whether its list has them or not; it lists every other module that it leaves out.
constexpr std::string_view kNeverTaken[] = {"lm_head", "embed_tokens", "embed_tokens_per_layer", "gate", "shared_expert_gate"};

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::plain: return "plain floats";
        case Kind::fp8: return "FP8";
        case Kind::packed: return "packed integers";
        case Kind::bytes: return "8-bit integers";
        case Kind::gptq: return "GPTQ";
        case Kind::awq: return "AWQ";
        case Kind::nvfp4: return "NVFP4";
        case Kind::mxfp4: return "MXFP4";
    }
    return "?";
}

// What hf_quant_config.json says, which mostly lies one level down.
const Json& inside(const Json& beside) {
    const auto it = beside.find("quantization");
    return it != beside.end() && it->is_object() ? *it : beside;
}

bool glob(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    std::size_t p = 0, t = 0, star = pattern.npos, from = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p, ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace

base::Result<Quantisation::Pattern> Quantisation::compile(const std::string& text) {
    Pattern out;
    out.text = text;
    if (!text.starts_with("re:")) return out;
    auto regex = base::Regex::compile("^(?:" + text.substr(3) + ")");  // from where the name begins, as Python's match
    if (!regex) return std::move(regex).error();
    out.regex = *std::move(regex);
    return out;
}

bool Quantisation::Pattern::matches(const std::string& module) const {
    if (regex) return regex->search(module);
    if (text.find('*') != text.npos) return glob(text, module);
    return module == text || module.ends_with("." + text);
}

base::Result<void> Quantisation::read_lists(const Json& from, const std::string& file) {
    for (const char* key : {"modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers"}) {
        const auto list = from.find(key);
        if (list == from.end() || list->is_null()) continue;
        if (!list->is_array()) return base::error(Code::corrupt, file + ": key '" + key + "' is no array", kFetchAgain);
        for (const Json& one : *list) {
            if (!one.is_string()) return base::error(Code::corrupt, file + ": key '" + key + "' holds " + base::dump(one).substr(0, 100) + ", expected text", kFetchAgain);
            auto pattern = compile(one.get<std::string>());
            if (!pattern) return base::error(Code::unsupported, file + ": key '" + key + "': " + pattern.error().message);
            pattern->where = "key '" + std::string(key) + "' of " + file;
            ignored_.push_back(*std::move(pattern));
        }
    }
    return {};
}

base::Result<void> Quantisation::read_groups(const Json& from, const std::string& file) {
    text::JsonProblem problem{file, {}};
    const text::JsonNode groups = text::JsonNode(&from, "quantization_config", problem)["config_groups"];
    if (groups.absent()) return {};
    for (const auto& [name, ignored] : groups.members().items()) {
        const text::JsonNode group = groups[name], weights = group["weights"];
        if (weights.absent()) continue;
        Group out;
        const std::int64_t bits = weights["num_bits"].integer(1, 64, 8);
        if (bits != 4 && bits != 8) weights["num_bits"].refuse("4 or 8");
        if (!weights["num_bits"].absent()) out.scheme.bits = int(bits);
        const std::string strategy = weights["strategy"].text("");
        if (strategy == "channel") out.scheme.group = -1;
        else if (strategy != "block" && strategy != "tensor") out.scheme.group = int(weights["group_size"].integer(-1, 1 << 24, 0));
        out.scheme.strategy = strategy;
        hear(weights["type"], types(), out.said);
        if (method_ == "compressed-tensors") hear(group["format"], formats(), out.said);
        if (const auto symmetric = flag_if_said(weights["symmetric"]); symmetric && weights["type"].text("int") == "int") out.scheme.zeros = !*symmetric;
        if (const text::JsonNode order = weights["actorder"]; !order.absent())
            out.scheme.order = order.value().is_boolean() ? order.flag(false) : order.text() == "group" || order.text() == "dynamic";
        const text::JsonNode block = weights["block_structure"];
        if (!block.absent()) {
            out.scheme.tile_rows = int(block.at(0).integer(1, 1 << 20));
            out.scheme.tile_cols = int(block.at(1).integer(1, 1 << 20));
        }
        if (!group["targets"].absent())
            for (const text::JsonNode& target : group["targets"].items()) {
                auto pattern = compile(target.text());
                if (!pattern) return base::error(Code::unsupported, file + ": key '" + target.path() + "': " + pattern.error().message);
                out.targets.push_back(*std::move(pattern));
            }
        groups_.push_back(std::move(out));
    }
    if (problem.first) return *problem.first;
    return {};
}

// What GPTQ's writers say of modules by expressions: "-:" leaves out, others have bits and groups of their own.
base::Result<void> Quantisation::read_dynamic(const Json& from, const std::string& file) {
    text::JsonProblem problem{file, {}};
    const text::JsonNode node(&from, "quantization_config", problem), own = node["dynamic"], blocks = node["modules_in_block_to_quantize"];
    if (!own.absent())
        for (const auto& [key, ignored] : own.members().items()) {
            const bool out = key.starts_with("-:");
            auto pattern = compile("re:" + (out || key.starts_with("+:") ? key.substr(2) : key));
            if (!pattern) return base::error(Code::unsupported, file + ": key 'dynamic': " + pattern.error().message);
            if (out) {
                pattern->where = "key 'dynamic' of " + file;
                ignored_.push_back(*std::move(pattern));
                continue;
            }
            Group group;
            group.scheme = scheme_;
            group.scheme.bits = int(own[key]["bits"].integer(1, 64, scheme_.bits));
            group.scheme.group = int(own[key]["group_size"].integer(-1, 1 << 24, scheme_.group));
            group.scheme.order = own[key]["desc_act"].absent() ? scheme_.order : flag_if_said(own[key]["desc_act"]);
            group.targets.push_back(*std::move(pattern));
            groups_.push_back(std::move(group));
        }
    if (!blocks.absent())
        for (const text::JsonNode& block : blocks.items())
            for (const text::JsonNode& name : block.items()) converted_.push_back({name.text(), {}, {}});
    if (problem.first) return *problem.first;
    return {};
}

base::Result<void> Quantisation::read_beside(const Json& from, const Json& beside, const std::string& file, const std::string& config_file) {
    text::JsonProblem unread{config_file, {}}, problem{file, {}};
    const Json& inner = inside(beside);
    const text::JsonNode node(&from, "quantization_config", unread), other(&inner, &inner == &beside ? "" : "quantization", problem);
    for (const char* key : {"quant_algo", "group_size"})
        if (!node[key].absent() && !other[key].absent() && node[key].value() != other[key].value())
            other[key].wrong(node[key].shown() + ", as key '" + node[key].path() + "' of " + config_file + " says");
    if (const text::JsonNode size = other["group_size"]; !size.absent())
        for (const Group& group : groups_)
            if (group.scheme.group > 0 && size.integer(-1, 1 << 24) != group.scheme.group) size.wrong(std::to_string(group.scheme.group) + ", as key 'quantization_config.config_groups' of " + config_file + " says");
    if (const text::JsonNode algorithm = other["quant_algo"]; algorithm.is_text() && row_in(algorithms(), algorithm.text())) hear(algorithm, algorithms(), said_);
    if (cache_key_.empty() && !other["kv_cache_quant_algo"].absent()) cache_key_ = other["kv_cache_quant_algo"].path();
    if (problem.first) return *problem.first;
    return read_lists(inner, file);
}

base::Result<Quantisation> Quantisation::read(const Json& config, const std::string& config_file, const Json& beside, const std::string& beside_file) {
    const Json* from = nullptr;
    std::string file = config_file;
    for (const char* key : {"quantization_config", "compression_config"})
        for (const Json* part : {&config, config.contains("text_config") ? &config["text_config"] : nullptr})
            if (part && part->is_object() && !from)
                if (const auto it = part->find(key); it != part->end() && it->is_object()) from = &*it;
    if (!from && beside.is_object()) {
        from = &inside(beside);
        file = beside_file;
    }
    Quantisation out;
    if (!from) return out;
    text::JsonProblem problem{file, {}};
    const text::JsonNode node(from, "quantization_config", problem);
    for (const char* key : {"kv_cache_scheme", "kv_cache_quant_algo"})
        if (!node[key].absent()) out.cache_key_ = std::string(file == config_file ? "quantization_config." : "quantization.") + key;
    out.method_ = node["quant_method"].text("");
    const std::string algorithm = node["quant_algo"].text("");
    if (out.method_.empty()) out.method_ = algorithm.empty() ? node["format"].absent() ? "" : "compressed-tensors" : "modelopt";
    if (problem.first) return *problem.first;
    if (!row_in(methods(), out.method_)) return base::error(Code::unsupported, file + ": has the quant_method '" + out.method_ + "'; this engine runs " + names_in(methods()));
    if (out.method_ == "modelopt" && !algorithm.empty()) hear(node["quant_algo"], algorithms(), out.said_);
    if (out.method_ == "compressed-tensors") hear(node["format"], formats(), out.said_);
    check_method(node, out.method_);
    out.scheme_.gptq_v2 = node["checkpoint_format"].text("") == "gptq_v2";
    if (out.method_ == "gptq" || out.method_ == "awq") out.scheme_.bits = int(node["bits"].integer(1, 64, 0));
    if (out.method_ == "gptq" || out.method_ == "awq" || algorithm == "NVFP4") out.scheme_.group = int(node["group_size"].integer(-1, 1 << 24, 0));
    if (out.method_ == "gptq") out.scheme_.order = flag_if_said(node["desc_act"]);
    if (out.method_ == "awq") out.scheme_.zeros = flag_if_said(node["zero_point"]);
    const text::JsonNode block = node["weight_block_size"];
    out.scheme_.inverse_scales = out.method_ == "fp8" && !block.absent();
    if (out.method_ == "fp8" && block.absent()) out.scheme_.tile_rows = 0;
    if (!block.absent()) {
        out.scheme_.tile_rows = int(block.at(0).integer(1, 1 << 20));
        out.scheme_.tile_cols = int(block.at(1).integer(1, 1 << 20));
    }
    if (problem.first) return *problem.first;
    if (auto done = out.read_lists(*from, file); !done) return std::move(done).error();
    if (auto done = out.read_groups(*from, file); !done) return std::move(done).error();
    if (out.method_ == "gptq")
        if (auto done = out.read_dynamic(*from, file); !done) return std::move(done).error();
    if (file == config_file && beside.is_object())
        if (auto done = out.read_beside(*from, beside, beside_file, config_file); !done) return std::move(done).error();
    return out;
}

const Quantisation::Group* Quantisation::group_of(const std::string& module) const {
    const Group* of_all = nullptr;  // what targets a class of modules, after those that name some
    for (const Group& group : groups_)
        for (const Pattern& target : group.targets) {
            if (target.matches(module)) return &group;
            if (target.text == "Linear" && !of_all) of_all = &group;
        }
    return of_all;
}

LinearScheme Quantisation::scheme(const std::string& module) const {
    const Group* const group = group_of(module);
    return group ? group->scheme : scheme_;
}

bool Quantisation::is_targeted(const std::string& module) const {
    std::vector<std::string> names{module};
    if (const std::size_t layers = module.find("layers."); layers != std::string::npos) names.push_back("model." + module.substr(layers));
    // Stacks of experts have no number in their names.
    const std::string_view experts = ".experts.";
    for (std::size_t i = 0, n = names.size(); i < n; ++i)
        if (const std::size_t at = names[i].find(experts); at != std::string::npos) names.push_back(std::string(names[i]).insert(at + experts.size(), "0."));
    const auto is_class = [](const std::string& text) { return !text.empty() && text[0] >= 'A' && text[0] <= 'Z'; };
    const auto means = [&](const Pattern& target) { return is_class(target.text) || std::ranges::any_of(names, [&](const std::string& name) { return target.matches(name); }); };
    return std::ranges::any_of(groups_, [&](const Group& group) { return group.targets.empty() || std::ranges::any_of(group.targets, means); });
}

const Quantisation::Pattern* Quantisation::named_by(const std::string& module) const {
    for (const Pattern& ignored : ignored_)
        for (std::size_t end = module.size(); end != std::string::npos && end > 0; end = module.rfind('.', end - 1))
            if (ignored.matches(module.substr(0, end))) return &ignored;
    return nullptr;
}

// Writers list parts of a name too; some with what stands before the layers in another model's names.
bool Quantisation::may_be_left_out(const std::string& module) const {
    if (named_by(module)) return true;
    const auto within = [](const std::string& text, const std::string& name) { return ("." + name + ".").find("." + text + ".") != std::string::npos; };
    const auto from_layers = [](const std::string& name) {
        const std::size_t at = name.find("layers.");
        return at == std::string::npos ? std::string() : name.substr(at);
    };
    return std::ranges::any_of(ignored_, [&](const Pattern& ignored) {
        const std::string layers = from_layers(ignored.text);
        return within(ignored.text, module) || (!layers.empty() && (within(layers, module) || (!ignored.regex && glob(layers, from_layers(module)))));
    });
}

bool Quantisation::is_taken(const std::string& module) const {
    const std::string_view last = std::string_view(module).substr(module.rfind('.') + 1);
    if (method_ == "modelopt") return std::ranges::find(kNeverTaken, last) == std::end(kNeverTaken) && module.find(".router") == std::string::npos;
    // Other methods take the projections of attention and FFNs; outputs, routers and what else there is they take or not as they please.
    return std::ranges::find(kProjections, last) != std::end(kProjections);
}

bool Quantisation::may_be_plain(const std::string& module) const {
    const auto any = [&](const std::vector<Pattern>& patterns) { return std::ranges::any_of(patterns, [&](const Pattern& one) { return one.matches(module); }); };
    const auto targeted = [&](const Group& group) { return any(group.targets) || std::ranges::any_of(group.targets, [](const Pattern& one) { return one.text == "Linear"; }); };
    if (!is_taken(module)) return true;
    if (method_ == "mxfp4" && module.find(".experts.") == std::string::npos) return true;
    if (module.starts_with("mtp.") || may_be_left_out(module)) return true;
    if (!converted_.empty() && !any(converted_)) return true;
    if (method_ == "modelopt" && groups_.empty()) return false;
    return (method_ == "compressed-tensors" || method_ == "modelopt") && std::ranges::none_of(groups_, targeted);
}

std::optional<std::string> Quantisation::contradiction(const std::string& module, Kind kind) const {
    if (kind == Kind::plain) {
        if (method_.empty() || may_be_plain(module)) return std::nullopt;
        return "is stored as plain floats, but quant_method is '" + method_ + "' and the configuration does not leave the module out";
    }
    const std::string stored = std::string("is stored as ") + name_of(kind);
    if (method_.empty()) return stored + ", but the configuration names no quantisation";
    if (std::ranges::count(row_in(methods(), method_)->kinds, kind) == 0) return stored + ", but quant_method is '" + method_ + "'";
    const auto left_out = std::ranges::find_if(ignored_, [&](const Pattern& one) { return one.matches(module); });
    const Pattern* ignored = left_out == ignored_.end() ? nullptr : &*left_out;
    if (!ignored && takes_stacks()) ignored = named_by(module);  // these methods' lists name whole parts and mean them
    if (ignored) return stored + ", but " + ignored->where + " leaves it out by '" + ignored->text + "'";
    if ((method_ == "compressed-tensors" || method_ == "modelopt") && !groups_.empty() && !is_targeted(module))
        return stored + ", but key 'quantization_config.config_groups' has no group whose targets take it";
    const Group* const group = group_of(module);
    for (const std::vector<SaidKinds>* said : {&said_, group ? &group->said : &said_})
        for (const SaidKinds& one : *said)
            if (std::ranges::count(one.kinds, kind) == 0) return stored + ", but " + one.text;
    return std::nullopt;
}

}  // namespace engine
