#include <cstdio>

#include "app/commands.h"
#include "app/wire.h"

namespace app {

int serve(const LoadedSettings& loaded, std::function<base::Result<LoadedSettings>()> again, std::unique_ptr<sandbox::Launcher> launcher, const std::string& no_launcher) {
    auto world = World::build(loaded, std::move(again), std::move(launcher), no_launcher);
    if (!world) return complain(world.error());
    const std::string& host = loaded.settings.server.host;
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    const std::string& fingerprint = (*world)->fingerprint();
    std::printf("hearth listens on %s://%s:%d\n", fingerprint.empty() ? "http" : "https", shown.c_str(), (*world)->port());
    if (!fingerprint.empty()) std::printf("its certificate: SHA-256 %s\n", fingerprint.c_str());
    std::fflush(stdout);
    (*world)->run();
    return 0;
}

}  // namespace app
