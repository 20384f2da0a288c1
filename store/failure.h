// What PostgreSQL's refusals mean to a person.
#pragma once

#include <string>

#include "base/result.h"
#include "store/db.h"

namespace store {

// "`what` failed: reason", with the remedy that fits the reason; one line, no password, no statement.
base::Error failure(const std::string& what, const DbError& e);

// PostgreSQL's reason alone: one line, without the statement and the values that it quotes.
std::string reason_of(const std::string& message);

}  // namespace store
