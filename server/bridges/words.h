// What people read that no model has written. Pure.
#pragma once

#include <string>
#include <vector>

#include "server/bridges/arrival.h"
#include "store/approvals.h"
#include "store/runs.h"

namespace server::bridges {

std::string pairing_words(const std::string& code);
std::string stopped_words(const std::vector<std::string>& questions);
std::string text_alone_words(const std::string& media);
std::string refused_words(const base::Error& error);
// A message as the agent is told of it: what came with the text and cannot be read is named.
std::string said_with(const Arrival& arrival);
// What a run wants to do, word for word, and until when it waits; and what came of it.
std::string question_words(const store::Approval& asked);
std::string decided_words(const store::Approval& asked);
// The answer of a run that has ended, or why there is none; empty: nothing is to be said.
std::string end_words(const store::Run& run);

}  // namespace server::bridges
