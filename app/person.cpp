// hearth person: who there is, and how each is answered. Works without a running server; runs that begin from then on go by it.
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "store/people.h"

namespace app {
namespace {

base::Json person_json(const store::Person& one) {
    return {{"id", one.id.text()}, {"name", one.name}, {"role", one.role}, {"replies", one.plain ? "plain" : "full"}, {"effort", one.effort}, {"tone", one.tone}, {"language", one.language}};
}

void print(const store::Person& one) {
    std::printf("%s  %-16s %-8s replies %-6s effort %s  language %s%s\n", one.id.text().c_str(), visible(one.name).c_str(), one.role.c_str(), one.plain ? "plain" : "full", one.effort.c_str(), one.language.c_str(),
                one.tone.empty() ? "" : ("  tone: " + visible(one.tone)).c_str());
}

}  // namespace

int person_list(const LoadedSettings& loaded, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    const auto read = [](store::Tx& tx) { return store::list_people(tx); };
    base::Json out = base::Json::array();
    for (const store::Person& one : opened->db->run_blocking(opened->owner, read)) {
        if (!json) print(one);
        out.push_back(person_json(one));
    }
    if (json) print_json(out);
    return 0;
}

int person_add(const LoadedSettings& loaded, const std::string& name, const std::string& role, bool json) {
    const auto add = [&](store::Tx& tx) { return store::add_person(tx, name, role); };
    const auto added = as_owner(loaded.settings, add);
    if (!added) return complain(added.error());
    if (json) print_json(person_json(*added));
    else print(*added);
    return 0;
}

int person_set(const LoadedSettings& loaded, const std::string& who, const std::string& replies, const std::string& effort, const std::optional<std::string>& tone, const std::string& language, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    store::PersonChange change;
    if (!replies.empty()) change.plain = replies == "plain";
    if (!effort.empty()) change.effort = effort;
    change.tone = tone;
    if (!language.empty()) change.language = language;
    const auto write = [&](store::Tx& tx) { return store::change_person(tx, who, change); };
    const auto changed = opened->db->run_blocking(opened->owner, write);
    if (!changed) return complain(changed.error());
    if (json) print_json(person_json(*changed));
    else print(*changed);
    return 0;
}

}  // namespace app
