#include "store/directives.h"

#include "prompts/directives.h"

namespace store {
namespace {

using base::Code;

constexpr int kLongestDays = 3650;

const std::string kColumns = "name, text, person_id, created_by, " + micros("created_at") + ", " + micros("expires_at");

Directive directive_of(const Row& row) {
    return {row.text(0), row.text(1), row.id<base::PersonId>(2), row.id<base::PersonId>(3), row.time(4), row.time(5)};
}

std::vector<Directive> directives_of(const std::vector<Row>& rows) {
    std::vector<Directive> out;
    for (const Row& row : rows) out.push_back(directive_of(row));
    return out;
}

base::Error refused(const DbError& e, const std::string& name) {
    if (e.condition == "42501") return base::error(Code::permission_denied, "what holds for a house or for others is the owner's to say");  // row-level security
    if (e.kind == DbError::Kind::unique) return base::error(Code::conflict, "there is a directive '" + name + "' already", "remove it first, or choose another name");
    return base::error(Code::invalid_argument, "the directive '" + name + "' cannot be: a name is a letter, then letters, digits and '_'; a text is one line of at most " +
                                                   std::to_string(kLongestDirective) + " characters");
}

}  // namespace

std::vector<Directive> list_directives(Tx& tx) {
    return directives_of(tx.exec("select " + kColumns + " from directive order by person_id nulls first, created_at, name"));
}

std::vector<Directive> directives_in_force(Tx& tx) {
    return directives_of(tx.exec("select " + kColumns + " from directive where (person_id is null or person_id = hearth_person())"
                                 " and expires_at > clock_timestamp() order by person_id nulls first, created_at, name"));
}

base::Result<Directive> add_directive(Tx& tx, const std::string& given_name, const std::string& given_text, base::PersonId person, std::chrono::days lasts) {
    const std::string name = tx.redactor().without_known(given_name), text = tx.redactor().without_known(given_text);
    if (auto prime = prompts::refuse_prime(name)) return *std::move(prime);
    if (lasts.count() < 1 || lasts.count() > kLongestDays)
        return base::error(Code::invalid_argument, "a directive holds for 1 to " + std::to_string(kLongestDays) + " days, not " + std::to_string(lasts.count()));
    // Two who add at once do not go beyond the sum together.
    tx.exec("select pg_advisory_xact_lock(hashtextextended('directive', 0))");
    prune_directives(tx);
    const auto had = tx.exec("select hearth_directive_bytes($1::uuid)", {person});
    if (had.at(0).integer(0) + std::int64_t(text.size()) > std::int64_t(kMostOfDirectives))
        return base::error(Code::resource_exhausted, "all directives together have at most " + std::to_string(kMostOfDirectives) + " bytes: every prompt holds them",
                           "hearth directive list shows them; hearth directive remove makes room");
    try {
        return directive_of(tx.exec("insert into directive (name, text, person_id, expires_at) values ($1, $2, $3::uuid, clock_timestamp() + $4::int * interval '1 day')"
                                    " returning " + kColumns, {name, text, person, int(lasts.count())}).at(0));
    } catch (const DbError& e) {
        if (e.condition != "42501" && e.kind != DbError::Kind::unique && e.kind != DbError::Kind::check) throw;
        return refused(e, name);
    }
}

base::Result<bool> remove_directive(Tx& tx, const std::string& name, base::PersonId person) {
    if (auto prime = prompts::refuse_prime(name)) return *std::move(prime);
    return !tx.exec("delete from directive where name = $1 and person_id is not distinct from $2::uuid returning 1", {name, person}).empty();
}

std::int64_t prune_directives(Tx& tx) { return tx.exec("select hearth_prune_directives()").at(0).integer(0); }

}  // namespace store
