// A person's word on what a run asks, typed where nothing can be pressed: "allow K7Q2". Pure.
//
// The code tells the questions of a chat apart. It is no secret: it counts only of whom was asked, and where he was asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/approvals.h"

namespace server::bridges {

std::string code_of(store::ApprovalId id);

struct TypedWord {
    bool grant = false;
    std::string code;  // as it is told, whether there is such a question or not
};
// Of a message that is nothing but one of a few words, in the languages of server/bridges/sayings.h, and what may be a code.
std::optional<TypedWord> typed_word(std::string_view text);

}  // namespace server::bridges
