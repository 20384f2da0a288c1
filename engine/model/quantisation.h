// What a checkpoint's configuration says of how its modules are quantised.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/regex.h"
#include "base/result.h"
#include "engine/model/linear.h"

namespace engine {

// What a key says that modules are stored as.
struct SaidKinds {
    std::string text;                 // "key 'quantization_config.format' is \"dense\""
    std::vector<Linear::Kind> kinds;
};

class Quantisation {
public:
    // `config`: config.json; `beside`: hf_quant_config.json, or null. Methods that are unknown, and what of the known ones this
    // engine does not run, are refused by name.
    static base::Result<Quantisation> read(const base::Json& config, const std::string& config_file, const base::Json& beside,
                                           const std::string& beside_file);

    const std::string& method() const { return method_; }  // "gptq"; empty: none
    const std::string& cache_key() const { return cache_key_; }  // of what quantises the KV cache too; empty: none does
    // Whether the method is for stacks of experts as well as for modules.
    bool takes_stacks() const { return method_ == "mxfp4" || method_ == "modelopt"; }
    LinearScheme scheme(const std::string& module) const;
    // What contradicts the configuration in a module that is stored as `kind`, if anything does.
    std::optional<std::string> contradiction(const std::string& module, Linear::Kind kind) const;

private:
    // A name, its last parts, a glob, or a regular expression after "re:".
    struct Pattern {
        std::string text;
        std::optional<base::Regex> regex;
        std::string where;            // "key 'ignore' of m/config.json"
        bool matches(const std::string& module) const;
    };
    struct Group {
        std::vector<Pattern> targets;
        LinearScheme scheme;
        std::vector<SaidKinds> said;
    };
    const Group* group_of(const std::string& module) const;  // null: none takes it
    // Whether the groups' targets may mean the module, whose name may begin otherwise there.
    bool is_targeted(const std::string& module) const;
    // Whether the method quantises such a module where nothing leaves it out.
    bool is_taken(const std::string& module) const;
    // Whether a module that the method could quantise may be plain.
    bool may_be_plain(const std::string& module) const;
    bool may_be_left_out(const std::string& module) const;
    const Pattern* named_by(const std::string& module) const;  // the one that leaves out the module or one above it, by its whole name
    static base::Result<Pattern> compile(const std::string& text);
    base::Result<void> read_lists(const base::Json& from, const std::string& file);
    base::Result<void> read_groups(const base::Json& from, const std::string& file);
    // hf_quant_config.json where config.json has a configuration too.
    base::Result<void> read_beside(const base::Json& from, const base::Json& beside, const std::string& file, const std::string& config_file);
    base::Result<void> read_dynamic(const base::Json& from, const std::string& file);

    std::string method_, cache_key_;
    LinearScheme scheme_;
    std::vector<Pattern> ignored_;
    std::vector<Pattern> converted_;  // empty: all but what is ignored
    std::vector<Group> groups_;
    std::vector<SaidKinds> said_;         // of all modules
};

}  // namespace engine
