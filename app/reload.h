// The settings' file while the server runs: what of it can change takes effect at once, what is wrong leaves all as it was,
// and what needs a restart is told of.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "app/backends.h"
#include "base/log.h"
#include "base/probe.h"
#include "net/task.h"
#include "router/gateway.h"

namespace app {

class Reload {
public:
    using Load = std::function<base::Result<LoadedSettings>()>;
    // `running`: what the server was built with. `masked`: what no sandbox sees. `took` hears of what is in force from
    // then on. Everything else outlives this.
    Reload(LoadedSettings running, Load load, std::vector<std::filesystem::path> masked, std::vector<router::Alias> own, router::Gateway& gateway, net::HttpClient& client, base::Log& log,
           SecretOpener secrets = {}, std::function<void(const Settings&)> took = {});

    // Looks at the file's time every few seconds; now() is for SIGHUP.
    net::Task<void> watch();
    void now();

    base::Probe probe() const;

private:
    base::Result<void> keys_are_masked(const Settings& settings) const;
    void say(std::string refused, std::vector<std::string> waiting);

    const LoadedSettings running_;
    const Load load_;
    const std::vector<std::filesystem::path> masked_;
    const std::vector<router::Alias> own_;
    router::Gateway& gateway_;
    net::HttpClient& client_;
    base::Log& log_;
    const SecretOpener secrets_;
    const std::function<void(const Settings&)> took_;
    std::filesystem::file_time_type seen_{};
    mutable std::mutex mutex_;  // of what follows
    std::string refused_;               // why the file as it is now is not in force; empty: it is
    std::vector<std::string> waiting_;  // settings whose values take effect at the next start
};

}  // namespace app
