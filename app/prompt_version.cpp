#include "app/prompt_version.h"

namespace app {

using base::Code;

base::Result<store::PromptVersion> choose_version(const std::vector<store::PromptVersion>& versions, const std::string& wanted) {
    const std::string by = wanted.empty() ? "live" : wanted;
    for (const auto& one : versions) {
        if (by == std::to_string(one.prompt.version)) return one;
        for (const std::string& label : one.labels)
            if (by == label) return one;
    }
    std::string known;
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) known += (known.empty() ? "" : ", ") + std::to_string(it->prompt.version);
    return base::error(Code::not_found, "prompt '" + versions.front().prompt.name + "' has no version '" + by + "'", "it has " + known + ", and the labels that hearth prompt versions shows");
}

base::Result<store::Prompt> prompt_named(store::Tx& tx, const std::string& text) {
    const auto at = text.find('@');
    if (at == 0 || at == text.npos || at + 1 == text.size())
        return base::error(Code::invalid_argument, "'" + text + "' is no NAME@VERSION", "for example recompose@3, recompose@draft");
    const auto versions = store::prompt_versions(tx, text.substr(0, at));
    if (!versions) return versions.error();
    auto chosen = choose_version(*versions, text.substr(at + 1));
    if (!chosen) return std::move(chosen).error();
    return std::move(chosen->prompt);
}

}  // namespace app
