// Whether a target's operations do on this machine what ref does, before a model trusts them: small inputs, a few milliseconds.
#pragma once

#include <string>
#include <vector>

#include "engine/ops/ops.h"

namespace engine {

// Operations that a target may leave to ref one by one: what a setting switches off, and what a failed check does.
std::vector<std::string> switchable_ops();
// The table with that operation as ref has it; false: there is none of that name.
bool leave_to_ref(Ops& ops, const std::string& name);

struct FailedOp {
    std::string name, reason;
};
std::vector<FailedOp> failed_ops(const Ops& ops, bool exact, Pool& pool);

}  // namespace engine
