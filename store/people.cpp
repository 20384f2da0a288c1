#include "store/people.h"

#include <algorithm>
#include <utility>

#include "base/language.h"

namespace store {
namespace {

using base::Code;

constexpr std::size_t kLongestName = 100;  // bytes
constexpr const char* kColumns = "select id, name, role, replies = 'plain', effort, tone, language from person";
constexpr std::size_t kLongestTone = 300;  // characters; PostgreSQL counts them

bool known_language(const std::string& tag) {
    const auto choices = base::language_choices();
    return std::find(choices.begin(), choices.end(), tag) != choices.end();
}

Person person_of(const Row& row) { return {row.id<base::PersonId>(0), row.text(1), row.text(2), row.boolean(3), row.text(4), row.text(5), row.text(6)}; }

}  // namespace

std::vector<Person> list_people(Tx& tx) {
    std::vector<Person> out;
    for (const Row& row : tx.exec(std::string(kColumns) + " order by created_at, id")) out.push_back(person_of(row));
    return out;
}

std::vector<base::PersonId> people_by_use(Tx& tx) {
    std::vector<base::PersonId> out;
    for (const Row& row : tx.exec("select p from hearth_people_by_use() p", {})) out.push_back(row.id<base::PersonId>(0));
    return out;
}

Person this_person(Tx& tx) {
    const auto rows = tx.exec(std::string(kColumns) + " where id = hearth_person()");
    return rows.empty() ? Person{} : person_of(rows[0]);
}

base::Result<Person> add_person(Tx& tx, const std::string& name, const std::string& role) {
    const bool odd = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (odd || name.size() > kLongestName || name.find_first_not_of(' ') == std::string::npos)
        return base::error(Code::invalid_argument, "a person's name is one line of at most " + std::to_string(kLongestName) + " bytes");
    for (const Person& one : list_people(tx))
        if (one.name == name) return base::error(Code::conflict, "somebody is called '" + name + "' already", "add something by which the two are told apart");
    try {
        return person_of(tx.exec("insert into person (id, tenant_id, name, role) values ($1, hearth_tenant(), $2, $3) returning id, name, role, replies = 'plain', effort, tone, language",
                                 {base::PersonId::make(base::SystemClock().now()), name, role})
                             .at(0));
    } catch (const DbError& e) {
        if (e.condition != "42501") throw;  // row-level security
        return base::error(Code::permission_denied, "people are taken in by the owner, as member or guest");
    }
}

base::Result<Person> find_person(Tx& tx, const std::string& who) {
    std::vector<Person> found = list_people(tx);
    std::erase_if(found, [&](const Person& one) { return one.id.text() != who && one.name != who; });
    if (found.empty()) return base::error(Code::not_found, "there is no person '" + who + "'", "hearth person list tells who there is");
    if (found.size() > 1) return base::error(Code::conflict, std::to_string(found.size()) + " people are called '" + who + "'", "name the id");
    return std::move(found[0]);
}

base::Result<Person> change_person(Tx& tx, const std::string& who, const PersonChange& change) {
    const auto found = find_person(tx, who);
    if (!found) return found;
    std::vector<Row> rows;
    try {
        rows = tx.exec("update person set replies = coalesce($2, replies), effort = coalesce($3, effort), tone = coalesce($4, tone), language = coalesce($5, language) where id = $1"
                       " returning id, name, role, replies = 'plain', effort, tone, language",
                       {found->id, change.plain ? std::optional<std::string>(*change.plain ? "plain" : "full") : std::nullopt, change.effort, change.tone, change.language});
    } catch (const DbError& e) {
        if (e.kind != DbError::Kind::check || (!change.tone && !change.language)) throw;
        if (change.language && !known_language(*change.language)) return base::error(Code::invalid_argument, "'" + *change.language + "' is no language of what no model has written", base::listed_language_choices());
        return base::error(Code::invalid_argument, "a tone is one line of at most " + std::to_string(kLongestTone) + " characters");
    }
    if (rows.empty()) return base::error(Code::permission_denied, "how others are answered only the owner sets");
    return person_of(rows[0]);
}

}  // namespace store
