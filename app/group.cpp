// hearth group: who shares what is remembered for them. Works without a running server.
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "store/groups.h"

namespace app {
namespace {

using base::Json;

Json group_json(const store::Group& group) {
    Json members = Json::array();
    for (const store::Person& one : group.members) members.push_back({{"id", one.id.text()}, {"name", one.name}});
    return {{"id", group.id.text()}, {"name", group.name}, {"members", members}};
}

void print(const store::Group& group) {
    std::printf("%s:", visible(group.name).c_str());
    for (const store::Person& one : group.members) std::printf(" %s%s", visible(one.name).c_str(), &one == &group.members.back() ? "" : ",");
    std::puts(group.members.empty() ? " nobody" : "");
}

}  // namespace

int group_list(const LoadedSettings& loaded, bool json) {
    const auto groups = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<std::vector<store::Group>> { return store::list_groups(tx); });
    if (!groups) return complain(groups.error());
    Json out = Json::array();
    for (const store::Group& one : *groups) {
        if (!json) print(one);
        out.push_back(group_json(one));
    }
    if (json) print_json(out);
    else if (groups->empty()) std::puts("there is no group yet");
    return 0;
}

int group_set(const LoadedSettings& loaded, const std::string& name, const std::vector<std::string>& people, bool json) {
    const auto set = [&](store::Tx& tx) -> base::Result<store::Group> {
        std::vector<store::Person> members;
        for (const std::string& who : people) {
            auto found = store::find_person(tx, who);
            if (!found) return std::move(found).error();
            members.push_back(*std::move(found));
        }
        return store::set_group(tx, name, members);
    };
    const auto group = as_owner(loaded.settings, set);
    if (!group) return complain(group.error());
    if (json) print_json(group_json(*group));
    else print(*group);
    return 0;
}

}  // namespace app
