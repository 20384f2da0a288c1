// Cells that may be null.
#pragma once

#include <optional>

#include "store/db.h"

namespace store {

inline std::optional<double> real_of(const Row& row, int column) { return row.null(column) ? std::nullopt : std::optional(row.real(column)); }

}  // namespace store
