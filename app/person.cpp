// hearth person: who there is, and how each is answered. Works without a running server; runs that begin from then on go by it.
#include "app/commands.h"
#include "app/database.h"
#include "app/table.h"
#include "app/terminal.h"
#include "store/outbox_rules.h"
#include "store/people.h"

namespace app {
namespace {

struct KnownPeople {
    std::vector<store::Person> people;
    std::map<base::PersonId, store::QuietHours> quiet;
};

// Those of one row, with what is quiet for them.
base::Result<KnownPeople> known(store::Tx& tx, const base::Result<store::Person>& one) {
    if (!one) return one.error();
    return KnownPeople{{*one}, store::quiet_hours(tx)};
}

void print_people(const KnownPeople& all, bool json, bool one) {
    base::Json out = base::Json::array();
    Table table({"id", "name", "role", "replies", "effort", "language", "quiet hours", "tone"});
    for (const store::Person& person : all.people) {
        const auto quiet = all.quiet.find(person.id);
        const bool has_quiet = quiet != all.quiet.end();
        const std::string hours = has_quiet ? store::hours_text(quiet->second) : std::string(), replies = person.plain ? "plain" : "full";
        table.add({person.id.text(), person.name, person.role, replies, person.effort, person.language, has_quiet ? hours + " " + quiet->second.zone : "none", person.tone});
        out.push_back({{"id", person.id.text()}, {"name", person.name}, {"role", person.role}, {"replies", replies}, {"effort", person.effort}, {"tone", person.tone}, {"language", person.language}, {"quiet", nullptr}});
        if (has_quiet) out.back()["quiet"] = {{"hours", hours}, {"zone", quiet->second.zone}};
    }
    if (!json) table.print();
    else print_json(one ? out.at(0) : out);
}

}  // namespace

int person_list(const LoadedSettings& loaded, bool json) {
    const auto found = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<KnownPeople> { return KnownPeople{store::list_people(tx), store::quiet_hours(tx)}; });
    if (!found) return complain(found.error());
    print_people(*found, json, false);
    return 0;
}

int person_add(const LoadedSettings& loaded, const std::string& name, const std::string& role, bool json) {
    const auto added = as_owner(loaded.settings, [&](store::Tx& tx) { return known(tx, store::add_person(tx, name, role)); });
    if (!added) return complain(added.error());
    print_people(*added, json, true);
    return 0;
}

int person_set(const LoadedSettings& loaded, const std::string& who, const std::string& replies, const std::string& effort, const std::optional<std::string>& tone, const std::string& language, bool json) {
    store::PersonChange change;
    if (!replies.empty()) change.plain = replies == "plain";
    if (!effort.empty()) change.effort = effort;
    change.tone = tone;
    if (!language.empty()) change.language = language;
    const auto changed = as_owner(loaded.settings, [&](store::Tx& tx) { return known(tx, store::change_person(tx, who, change)); });
    if (!changed) return complain(changed.error());
    print_people(*changed, json, true);
    return 0;
}

}  // namespace app
