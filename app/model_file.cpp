#include "app/model_file.h"

#include "app/backends.h"

namespace app {

using base::Code;

engine::LoadOptions load_options(const Settings& s, const std::filesystem::path& file) {
    engine::LoadOptions options;
    options.path = file;
    options.profile = s.model.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = s.model.threads;
    options.context = s.model.context;
    options.max_sequences = s.model.max_sequences;
    options.memory_limit = std::uint64_t(s.model.memory_mib) << 20;
    options.target = s.model.target;
    return options;
}

base::Error model_error(base::Error e) {
    if (e.code == Code::not_found) e.remedy = "hearth model pull fetches one, hearth model use chooses one; or set model.path (HEARTH_MODEL_PATH)";
    if (e.code == Code::corrupt) e.remedy = "the file is damaged or was not fetched whole: hearth model pull fetches it again";
    if (e.code == Code::unsupported && e.remedy.empty()) e.remedy = "hearth model list names models that run here";
    if (e.code == Code::resource_exhausted && e.remedy.empty()) e.remedy = "hearth model list names smaller ones";
    if (e.remedy.empty()) e.remedy = "choose another file: hearth model use, or model.path (HEARTH_MODEL_PATH)";
    return e;
}

base::Result<void> check_model(const Settings& s) {
    if (!s.upstream.script.empty() || !s.upstream.url.empty()) return {};
    auto plan = engine::Engine::plan(load_options(s, chosen_model(s)));
    if (!plan) return model_error(std::move(plan).error());
    return {};
}

}  // namespace app
