// When each backend of this node last did what chains want of it (router/exercise.h); kept for the next start.
#pragma once

#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct ExerciseRow {
    std::string backend, traffic;         // plain | streamed | tools
    base::TimePoint seen{}, worked{}, failed{};  // zero: never
    std::string failure;
};
// The later of what is there and what is given.
void save_exercises(Tx& tx, const std::vector<ExerciseRow>& rows);
std::vector<ExerciseRow> list_exercises(Tx& tx);  // of this node

}  // namespace store
