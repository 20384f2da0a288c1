// What one person's memory holds, in numbers.
#pragma once

#include "store/db.h"

namespace store {

struct MemoryHealth {
    std::int64_t facts = 0, replaced = 0;      // that hold; that held
    std::int64_t told_again = 0;               // observations of a fact that was there already
    std::int64_t from_texts = 0, of_groups = 0;  // of those that hold
    std::int64_t segments = 0, unsummed = 0;   // the latter are of no episode
    std::int64_t episodes = 0;
    std::int64_t documents = 0, open_documents = 0, sections = 0;  // open: sections are still to be made
    std::int64_t unread_sections = 0;          // for facts
    std::int64_t archived = 0, unarchived = 0; // segments and episodes; a group's are in no archive
    base::TimePoint last_episode{};            // zero: there is none
};
MemoryHealth memory_health(Tx& tx);

}  // namespace store
