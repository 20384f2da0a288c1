// What unicode_table.py generates; read through unicode.h.
#pragma once

#include <cstdint>
#include <span>

namespace base::tables {

struct CaseRun {  // `count` code points from `first` map to themselves plus `value` (or carry `value`)
    std::uint32_t first;
    std::uint32_t count;
    std::int32_t value;
};

struct Decomposition {  // canonical; second is 0 for a singleton; composes: NFC puts it together again
    std::uint32_t composed, first, second;
    std::uint32_t composes;
};

struct Compatibility {  // whose NFKD, compatibility_parts() from `first` on, is not its NFD
    std::uint32_t c;
    std::uint16_t first, count;
};

std::span<const std::uint32_t> category_starts();  // code point << 8 | category, where a new range begins
std::span<const CaseRun> lower();
std::span<const CaseRun> upper();
std::span<const Decomposition> decomposition();
std::span<const Compatibility> compatibility();
std::span<const char32_t> compatibility_parts();
std::span<const CaseRun> combining();

}  // namespace base::tables
