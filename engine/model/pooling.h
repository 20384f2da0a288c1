// One vector of a text out of its rows' hidden states.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/ops/ops.h"

namespace engine {

// The mean of the rows, the first one, the last one, or of each column its largest value.
enum class Pooling : std::uint8_t { mean, cls, last, max };
const char* name(Pooling pooling);

// As GGUF numbers it: 1 mean, 2 cls, 3 last. None for what makes no vector of a text: 0, and a ranking's.
inline constexpr int kRankingType = 4;
std::optional<Pooling> pooling_of(std::int64_t pooling_type);

// out (rows.cols); of length 1 where `normalise`.
void pool_rows(Pooling pooling, bool normalise, Mat rows, float* out);

}  // namespace engine
