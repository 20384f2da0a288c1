#include <cstdio>

#include "app/check.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "base/json.h"
#include "store/url.h"

namespace app {
namespace {

// What is shown of a value: no password of a database.
std::string shown(const Origin& origin) { return store::without_password(origin.value); }

}  // namespace

base::Json settings_json(const LoadedSettings& loaded) {
    base::Json out = base::Json::array();
    for (const auto& row : setting_rows()) {
        const Origin& origin = loaded.origins.at(row.name);
        out.push_back({{"name", row.name}, {"value", shown(origin)}, {"from", origin.source}, {"environment", environment_name(row.name)}, {"help", row.help}});
    }
    return out;
}

int config_check(const LoadedSettings& loaded) {
    if (auto fine = check_settings(loaded.settings); !fine) return complain(fine.error());
    // That none was fetched yet is no matter of the settings.
    if (auto usable = check_embedding_model(loaded.settings); !usable) return complain(usable.error());
    if (!loaded.settings.model.path.empty())
        if (auto usable = check_model(loaded.settings); !usable) return complain(usable.error());
    std::puts("the settings are usable");
    return 0;
}

int config_show(const LoadedSettings& loaded, const std::string& name, bool json) {
    if (!name.empty()) {
        const auto origin = loaded.origins.find(name);
        if (origin == loaded.origins.end())
            return complain(base::error(base::Code::not_found, "there is no setting '" + name + "'", "hearth config show lists all")), 2;
        std::puts(shown(origin->second).c_str());
        return 0;
    }
    base::Json out = base::Json::object();
    for (base::Json row : settings_json(loaded)) {
        const std::string setting = row["name"], value = row["value"], from = row["from"], help = row["help"];
        if (!json) std::printf("%-26s %-40s %-28s %s\n", setting.c_str(), value.empty() ? "\"\"" : value.c_str(), from.c_str(), help.c_str());
        row.erase("name");
        out[setting] = std::move(row);
    }
    if (json) print_json(out);
    return 0;
}

}  // namespace app
