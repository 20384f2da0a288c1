// The people of a tenant, who they are, and how each is answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Person {
    base::PersonId id;
    std::string name, role;
    bool plain = false;          // replies without formulas, tables, code, raw data
    std::string effort = "auto";  // auto | normal | heavy: the least class of a turn
    std::string tone;             // in the person's own words, one line; empty: none
    std::string language = "auto";  // of what no model has written: en | fr | de | es | it; auto: as the channel says
};

std::vector<Person> list_people(Tx& tx);
// Those who have asked something, the last first.
std::vector<base::PersonId> people_by_use(Tx& tx);
// The person of the transaction; nothing set where there is none.
Person this_person(Tx& tx);

// By the owner alone: Error{permission_denied}. `role`: member | guest. {conflict}: somebody has the name.
base::Result<Person> add_person(Tx& tx, const std::string& name, const std::string& role);
// By id or name. Error{not_found}; {conflict}: several have the name.
base::Result<Person> find_person(Tx& tx, const std::string& who);

struct PersonChange {
    std::optional<bool> plain;
    std::optional<std::string> effort;
    std::optional<std::string> tone = std::nullopt, language = std::nullopt;
};
// Errors as of find_person(); {invalid_argument}: a tone of more than a line, or too long, or a language that is none of those; {permission_denied}: neither oneself nor as the owner.
base::Result<Person> change_person(Tx& tx, const std::string& who, const PersonChange& change);

}  // namespace store
