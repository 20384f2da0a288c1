// Standing directives: what a house, or one person, wants of every agent until it expires. Prime ones are no rows
// (prompts/directives.h).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

constexpr std::size_t kLongestDirective = 500;    // characters
constexpr std::size_t kMostOfDirectives = 2000;   // bytes in all, of a house or of a person: every prompt holds them

struct Directive {
    std::string name, text;
    base::PersonId person;  // whom it holds for; nil: everybody of the house
    base::PersonId by;      // who added it
    base::TimePoint created{}, expires{};
};

// All that this person may see, the house's first; those that have expired and are not pruned yet, too.
std::vector<Directive> list_directives(Tx& tx);
// Of the house and of this person, in the order in which they were added; none that has expired.
std::vector<Directive> directives_in_force(Tx& tx);

// `person`: nil: for the house. Error{invalid_argument} for a name, text or time that cannot be, {permission_denied} for a prime
// one's name and for what is the owner's to say, {conflict} for a name that is taken, {resource_exhausted} beyond kMostOfDirectives.
base::Result<Directive> add_directive(Tx& tx, const std::string& name, const std::string& text, base::PersonId person, std::chrono::days lasts);
// False: there is none of the name, or it is another's to remove.
base::Result<bool> remove_directive(Tx& tx, const std::string& name, base::PersonId person);
// Those of all houses that have expired; how many. Needs no person.
std::int64_t prune_directives(Tx& tx);

}  // namespace store
