// Why a person is asked, in the languages of base/language.h. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/language.h"

namespace policy {

// Between the tool and why, as decide() asks.
inline constexpr std::string_view kNeedsApproval = " needs a person's approval: ";

// `reason` as decide() gave it for the call of the tool: in the language where a shipped rule asks, else around the house's own words. What is not of
// that form stays as it is.
std::string reason_in(base::Language language, const std::string& tool, const std::string& reason);

}  // namespace policy
