#include "app/prompt_version.h"

namespace app {

using base::Code;

base::Result<store::Prompt> prompt_named(store::Tx& tx, const std::string& text) {
    const auto parts = store::split_version(text);
    if (!parts)
        return base::error(Code::invalid_argument, "'" + text + "' is no NAME@VERSION", "for example recompose@3, recompose@draft");
    const auto versions = store::prompt_versions(tx, parts->first);
    if (!versions) return versions.error();
    auto chosen = store::choose_version(*versions, parts->second);
    if (!chosen) return std::move(chosen).error();
    return std::move(chosen->prompt);
}

}  // namespace app
