// The copy of the model's file whose weights lie as this machine's kernels want them, as hearth model convert writes it: a server
// makes it beside its work, once, and maps it at its next start in place of packing the file's weights.
#pragma once

#include <filesystem>
#include <functional>
#include <thread>

#include "app/settings.h"
#include "base/log.h"
#include "base/stop.h"
#include "engine/engine.h"

namespace app {

// Where that of `source` lies or would lie: another file, or another state of it, has another one. Empty: the setting or the
// form of the source wants none.
std::filesystem::path copy_of_model(const Settings& settings, const std::filesystem::path& source);

class ModelCopier {
public:
    // options.copy is written once the model is `ready`, by a CPU thread that gives way to all others, and copies of other
    // states of that file are removed.
    ModelCopier(engine::LoadOptions options, bool whatever_room, std::function<bool()> ready, base::Log& log);
    ~ModelCopier();

private:
    void wait_and_copy();
    base::Result<void> copy();

    engine::LoadOptions options_;
    const bool whatever_room_;
    const std::function<bool()> ready_;
    base::Log& log_;
    base::StopSource closing_;
    std::thread thread_;
};

}  // namespace app
