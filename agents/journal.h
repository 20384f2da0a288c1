// What the ledger keeps of a call of a model: all that the run goes on with, so that the call need not be made
// again when another process goes on with the run.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/redact.h"
#include "base/result.h"
#include "router/types.h"

namespace agents {

base::Json usage_to_json(const router::Usage& usage);
router::Usage usage_from_json(const base::Json& json);

// A field that may be missing.
template <class T>
void take(const base::Json& from, const char* field, std::optional<T>& value) {
    if (const auto found = from.find(field); found != from.end() && !found->is_null()) value = found->get<T>();
}

// Of an object with the fields that router::add_sampling writes; without logit_bias.
router::SamplingRequest sampling_from_json(const base::Json& json);

// The outcome of a step, and the reply of one. Error{corrupt} of a row that is none.
base::Json outcome_of(const base::Result<router::ModelReply>& reply);
base::Result<router::ModelReply> reply_of(const base::Json& outcome);

// Tells two prompts apart: all that the model is sent, and what binds its reply. Without secrets, which a prompt that is made
// again from what is stored does not hold.
std::string digest_of(const router::ModelRequest& request, const base::Redactor& redactor);

base::Code parse_code(const std::string& name);  // what base::name(Code) gives; else internal
router::FinishReason parse_finish(const std::string& name);

}  // namespace agents
