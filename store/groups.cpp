#include "store/groups.h"

#include <algorithm>

namespace store {
namespace {

using base::Code;

constexpr std::size_t kNameBytes = 60;

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= kNameBytes && name.front() != ' ' && name.back() != ' ' && std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 32 || c == 127; });
}

}  // namespace

std::vector<Group> list_groups(Tx& tx) {
    std::vector<Group> out;
    const std::vector<Person> people = list_people(tx);
    for (const Row& row : tx.exec("select g.id, g.name, m.person_id from person_group g left join membership m on m.group_id = g.id left join person p on p.id = m.person_id order by lower(g.name), p.name")) {
        const auto id = row.id<base::AudienceId>(0);
        if (out.empty() || out.back().id != id) out.push_back({id, row.text(1), {}});
        const auto member = std::find_if(people.begin(), people.end(), [&](const Person& one) { return !row.null(2) && one.id == row.id<base::PersonId>(2); });
        if (member != people.end()) out.back().members.push_back(*member);
    }
    return out;
}

base::Result<Group> set_group(Tx& tx, const std::string& name, const std::vector<Person>& members) {
    if (this_person(tx).role != "owner") return base::error(Code::permission_denied, "only the owner says who is in a group");
    if (!is_name(name)) return base::error(Code::invalid_argument, "'" + name + "' is no name of a group", "take 1 to " + std::to_string(kNameBytes) + " characters in one line");
    for (const Person& one : members)
        if (one.role != "owner" && one.role != "member") return base::error(Code::invalid_argument, one.name + " is a " + one.role + ", whom no group takes");
    tx.send("select pg_advisory_xact_lock(hashtextextended('group', 0))");
    const auto named = [&] { return tx.exec("select id from person_group where lower(name) = lower($1)", {name}); };
    auto found = named();
    if (found.empty()) {
        tx.send("insert into person_group (id, name) values ($1, $2)", {base::AudienceId::make(base::SystemClock().now()), name});
        found = named();
    }
    const auto id = found.at(0).id<base::AudienceId>(0);
    tx.send("delete from membership where group_id = $1", {id});
    for (const Person& one : members) tx.send("insert into membership (group_id, person_id) values ($1, $2) on conflict do nothing", {id, one.id});
    for (Group& group : list_groups(tx))
        if (group.id == id) return std::move(group);
    return base::error(Code::internal, "the group " + name + " is not there");
}

std::optional<base::AudienceId> enter_chat_group(Tx& tx, base::ConversationId conversation) {
    const Row row = tx.exec("select hearth_enter_chat_group($1)", {conversation}).at(0);
    return row.null(0) ? std::nullopt : std::optional(row.id<base::AudienceId>(0));
}

void leave_chat(Tx& tx, const std::string& bridge, const std::string& chat) { tx.send("select hearth_leave_chat($1, $2)", {bridge, chat}); }

void return_to_chat(Tx& tx, const std::string& bridge, const std::string& chat) {
    tx.send("update channel_conversation set left_at = null where audience_id = hearth_person() and bridge = $1 and chat = $2 and left_at is not null", {bridge, chat});
}

std::optional<base::AudienceId> own_group(Tx& tx, const std::string& name) {
    const auto rows = tx.exec("select g.id from person_group g join membership m on m.group_id = g.id and m.person_id = hearth_person() where lower(g.name) = lower($1)", {name});
    return rows.empty() ? std::nullopt : std::optional(rows[0].id<base::AudienceId>(0));
}

}  // namespace store
