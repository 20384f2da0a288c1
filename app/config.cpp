#include <cstdio>

#include "app/commands.h"
#include "base/json.h"

namespace app {

int config_show(const LoadedSettings& loaded, const std::string& name, bool json) {
    if (!name.empty()) {
        const auto origin = loaded.origins.find(name);
        if (origin == loaded.origins.end())
            return complain(base::error(base::Code::not_found, "there is no setting '" + name + "'", "hearth config show lists all")), 2;
        std::puts(origin->second.value.c_str());
        return 0;
    }
    base::Json out = base::Json::object();
    for (const auto& row : setting_rows()) {
        const Origin& origin = loaded.origins.at(row.name);
        if (!json) std::printf("%-26s %-40s %-28s %s\n", row.name, origin.value.empty() ? "\"\"" : origin.value.c_str(), origin.source.c_str(), row.help);
        out[row.name] = {{"value", origin.value}, {"from", origin.source}, {"environment", environment_name(row.name)}, {"help", row.help}};
    }
    if (json) std::puts(base::dump(out).c_str());
    return 0;
}

}  // namespace app
