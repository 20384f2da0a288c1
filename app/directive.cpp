// hearth directive: what agents are told to heed beside their prompts. Works without a running server; runs that begin from then on go by it.
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/table.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "prompts/directives.h"
#include "store/directives.h"
#include "store/people.h"

namespace app {
namespace {

using base::Json;
using store::Directive;

// Nil for the house.
base::Result<base::PersonId> id_of(store::Tx& tx, const std::string& person) {
    if (person.empty()) return base::PersonId{};
    const auto found = store::find_person(tx, person);
    if (!found) return found.error();
    return found->id;
}

std::string name_of(base::PersonId id, const std::vector<store::Person>& people) {
    for (const auto& person : people)
        if (person.id == id) return person.name;
    return id.text();
}

Json json_of(const Directive& one, const std::vector<store::Person>& people) {
    Json out = {{"name", one.name}, {"text", one.text}, {"prime", false}, {"by", name_of(one.by, people)}, {"created", base::rfc3339(one.created)}, {"expires", base::rfc3339(one.expires)}};
    if (!one.person.is_nil()) out["person"] = name_of(one.person, people);
    return out;
}

}  // namespace

int directive_list(const LoadedSettings& loaded, bool json) {
    struct Found {
        std::vector<Directive> directives;
        std::vector<store::Person> people;
    };
    const auto found = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<Found> { return Found{store::list_directives(tx), store::list_people(tx)}; });
    if (!found) return complain(found.error());
    const auto now = base::SystemClock().now();
    Json out = Json::array();
    Table table;
    for (const auto& one : prompts::prime_directives()) {
        table.add({one.name, "everybody", "in the program", one.text});
        out.push_back({{"name", one.name}, {"text", one.text}, {"prime", true}});
    }
    for (const auto& one : found->directives) {
        const std::string until = (one.expires <= now ? "expired " : "until ") + base::rfc3339(one.expires).substr(0, 10);
        table.add({one.name, one.person.is_nil() ? "the house" : name_of(one.person, found->people), until, one.text});
        out.push_back(json_of(one, found->people));
    }
    if (json) print_json(out);
    else table.print();
    return 0;
}

int directive_add(const LoadedSettings& loaded, const std::string& name, const std::string& text, const std::string& person, int days, bool json) {
    const auto work = [&](store::Tx& tx) -> base::Result<Json> {
        const auto whom = id_of(tx, person);
        if (!whom) return whom.error();
        const auto added = store::add_directive(tx, name, text, *whom, std::chrono::days(days));
        if (!added) return added.error();
        return json_of(*added, store::list_people(tx));
    };
    const auto added = as_owner(loaded.settings, work);
    if (!added) return complain(added.error());
    if (json) print_json(*added);
    else std::printf("added %s, until %s\n", name.c_str(), (*added)["expires"].get<std::string>().substr(0, 10).c_str());
    return 0;
}

int directive_remove(const LoadedSettings& loaded, const std::string& name, const std::string& person, bool json) {
    const auto work = [&](store::Tx& tx) -> base::Result<bool> {
        const auto whom = id_of(tx, person);
        if (!whom) return whom.error();
        return store::remove_directive(tx, name, *whom);
    };
    const auto removed = as_owner(loaded.settings, work);
    if (!removed) return complain(removed.error());
    if (!*removed) return complain(base::error(base::Code::not_found, "there is no directive '" + name + "' of " + (person.empty() ? "the house" : person) + " that you may remove", "hearth directive list shows them"));
    if (json) print_json({{"name", name}, {"removed", true}});
    else std::printf("removed %s\n", name.c_str());
    return 0;
}

}  // namespace app
