// What serves the models: the settings' backends and the aliases that name them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "app/settings.h"
#include "base/log.h"
#include "base/secret_value.h"
#include "net/http_client.h"
#include "router/gateway.h"
#include "router/local_backend.h"
#include "router/http_backend.h"

namespace app {

struct Backends {
    std::vector<std::unique_ptr<router::Backend>> all;
    std::vector<router::Alias> aliases;
};

// Opens a secret for sending it to a host.
using SecretOpener = std::function<net::Task<base::Result<router::UpstreamKey::Held>>(std::string name, std::string host)>;

// Of each row of `models` the model, under its own name. model.name's chain: the embedded model (or, in its place, backend.script), then the upstream. A file
// that is not there is left out when an upstream is set. embedding.name, where there is such a model: it, or the
// upstream's. `client`, `pools` and `log` outlive the result. Errors name the setting. `secrets`: needed where a setting names one.
base::Result<Backends> make_backends(const Settings& settings, net::HttpClient& client, router::LocalPools& pools, base::Log& log,
                                     const SecretOpener& secrets = {});

// The upstreams of the roster, and all aliases: `own`, which make_backends named, and those of the roster, of which one
// may take the place of model.name's. Where there is a model here, it ends every chain that does not say otherwise.
base::Result<router::Gateway::Roster> make_roster(const Settings& settings, const std::vector<router::Alias>& own, net::HttpClient& client,
                                                 const SecretOpener& secrets = {});

// What lies in the files that the settings name as keys of upstreams.
std::vector<base::SecretValue> keys_of_files(const Settings& settings);

// What make_backends and make_roster refuse because of the settings, without making anything.
base::Result<void> check_backends(const Settings& settings);

// Whether a model makes vectors of texts, under embedding.name.
bool has_embedding(const Settings& settings);

// Whether the upstream answers for model.name, and not for embedding.name alone.
bool has_spare_model(const Settings& settings);

// The file that serve loads: model.path, else what `hearth model use` or `pull` chose.
std::filesystem::path chosen_model(const Settings& settings);

}  // namespace app
