// hearth model convert: one file that loads without any packing.
#include <chrono>
#include <cstdio>

#include "app/backends.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/convert.h"

namespace app {

int model_convert(const LoadedSettings& loaded, const std::string& source, const std::string& out, bool json) {
    const engine::LoadOptions options = load_options(loaded.settings, source);
    const auto began = std::chrono::steady_clock::now();
    bool shown = false;
    const auto progress = [&](std::uint64_t done, std::uint64_t all) {
        if (!shown && std::chrono::steady_clock::now() - began < std::chrono::seconds(2)) return;
        shown = true;
        show_progress("writing " + out, done, all);
    };
    auto done = engine::convert(options, out, progress);
    if (shown) end_progress();
    if (!done) return complain(model_error(done.error(), loaded.settings, source));
    if (json) print_json({{"file", out}, {"bytes", done->bytes}, {"target", done->target}});
    else std::printf("%s: %.0f MiB for the kernels of %s\n", out.c_str(), double(done->bytes) / 1048576, done->target.c_str());
    return 0;
}

}  // namespace app
