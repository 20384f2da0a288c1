// What PostgreSQL's refusals mean to a person.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "store/db.h"

namespace store {

// "`what` failed: reason", with the remedy that fits the reason; one line, no password, no statement.
base::Error failure(const std::string& what, const DbError& e);

// What a person is told whose request met a database that nobody can use just now; nothing where that is not the matter.
std::optional<base::Error> outage(const DbError& e);

// PostgreSQL's reason alone: one line, without the statement and the values that it quotes.
std::string reason_of(const std::string& message);

}  // namespace store
