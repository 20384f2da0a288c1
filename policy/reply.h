// May an answer leave, for whoever has written and where he has written? It is no tool that an agent calls: neither scope nor menu
// has a say, and guests are answered too. What the house says of a tool `reply` counts; where that asks, the owner is asked.
#pragma once

#include "policy/decide.h"

namespace policy {

inline constexpr const char* kReply = "reply";  // as rules of the house name it

// `to`: for whom it is; somebody who is not known is a guest without an id. `label`: of what the answer was made from.
Decision decide_reply(const Principal& to, Integrity label, const House& house = {});

}  // namespace policy
