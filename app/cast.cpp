#include "app/cast.h"

#include "tools/registry.h"

namespace app {

base::Result<std::shared_ptr<const agents::Cast>> cast_of(const Settings& settings) {
    std::shared_ptr<const agents::Cast> cast = agents::shipped_cast();
    if (!settings.agents.file.empty()) {
        auto read = agents::Cast::read(settings.agents.file, *cast);
        if (!read) return std::move(read).error();
        cast = std::make_shared<const agents::Cast>(*std::move(read));
    }
    std::vector<router::Alias> roster;
    for (const router::RosterRow& row : settings.roster.rows) roster.push_back(row.alias);
    if (auto holds = cast->check(tools::Builtins(), roster); !holds) return std::move(holds).error();
    return cast;
}

}  // namespace app
