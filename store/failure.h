// What PostgreSQL's refusals mean to a person.
#pragma once

#include <exception>
#include <string>

#include "base/result.h"

namespace store {

// "`what` failed: reason", with the remedy that fits the reason; one line, no password, no statement.
base::Error failure(const std::string& what, const std::exception& e);

// PostgreSQL's reason alone: one line, without the statement and the values that it quotes.
std::string reason_of(const std::exception& e);

}  // namespace store
