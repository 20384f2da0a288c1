// A night's consolidation of what somebody remembers: sections of documents, episodes, facts of talk and of documents, the archive. It is killed at each of its durable writes, before,
// while and after it, and gone on with; then all of it is there, once.
#pragma once

#include "support/database.h"

namespace kill_matrix {

// → how many faults were found.
int kill_nights(support::TestDatabase& database, const std::filesystem::path& folder);

}  // namespace kill_matrix
