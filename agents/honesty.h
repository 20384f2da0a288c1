// What a run may claim: its steps as evidence, and how the model is asked about a claim that none of them holds up.
#pragma once

#include <vector>

#include "agents/frame.h"
#include "agents/reply/sentence_gate.h"
#include "tools/invoke.h"

namespace agents {

reply::Deed deed_of(const router::ToolCall& call, const tools::CallOutcome& outcome);

// The run's own calls; with them what the client's tools brought since the person's last words among `messages`, and where the
// request asks about the past all calls of `messages`, too.
reply::Evidence evidence_of(const Frame& frame, const std::string& request, const std::vector<router::Message>& messages);

// The claim that the model is asked about now; null: none.
const CheckedClaim* claim_in_question(const std::vector<CheckedClaim>& claims);
CheckedClaim asked_about(const reply::Claim& claim);
// After the second reply, of which `caught` had to be corrected.
void settle_claims(std::vector<CheckedClaim>& claims, const std::vector<reply::Claim>& caught, const reply::Evidence& evidence);

// `name`: claim_act, where a tool may do it now, or claim_answer, where the answer is to be written anew.
base::Result<std::string> claim_note(const Frame& frame, const char* name, const CheckedClaim& claim, const reply::Evidence& evidence);

}  // namespace agents
