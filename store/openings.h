// By what people know a conversation again: how it began, and when something was last said in it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Opening {
    std::string text;  // the beginning of its first message
    base::TimePoint spoken{};
};
std::map<base::ConversationId, Opening> openings_of(Tx& tx, const std::vector<base::ConversationId>& conversations);

}  // namespace store
