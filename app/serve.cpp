#include <cstdio>

#include "app/commands.h"
#include "app/wire.h"

namespace app {

int serve(const LoadedSettings& loaded, std::unique_ptr<sandbox::Launcher> launcher, const std::string& no_launcher) {
    auto world = World::build(loaded.settings, std::move(launcher), no_launcher);
    if (!world) return complain(world.error());
    std::printf("hearth listens on http://%s:%d\n", loaded.settings.server.host.c_str(), (*world)->port());
    std::fflush(stdout);
    (*world)->run();
    return 0;
}

}  // namespace app
