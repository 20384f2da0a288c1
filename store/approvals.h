// What a run asked a person for, and the answer. An approval is bound to the literal arguments, is used once, and expires.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using ApprovalId = base::Id<struct ApprovalTag>;

struct ApprovalRequest {
    base::RunId run;
    std::string effect_key;  // the tool call's id
    std::string tool;
    base::Json arguments;
    std::string rule, reason;  // the policy's
};

struct Approval {
    ApprovalId id;
    ApprovalRequest request;
    enum class State { open, granted, denied, expired, used } state = State::open;
    base::TimePoint asked{}, expires{};
    std::string decided_by = {}, decided_via = {};  // the person's name, and the way in: "socket", "key:…", "time"; empty while it is open
};
std::string_view name(Approval::State state);

// Asks, or finds what was asked before for the same call. Error{conflict} when the arguments are others than those asked for.
base::Result<Approval> ask_approval(Tx& tx, const ApprovalRequest& request, std::chrono::seconds lifetime);

// The person's word. The run that waits for it may go on: its processes are told. Error{not_found} for what is not this
// person's, {conflict} for what was decided before or has expired; both say so.
std::optional<Approval> find_approval(Tx& tx, ApprovalId id);
base::Result<Approval> decide_approval(Tx& tx, ApprovalId id, bool grant, const std::string& via);

// In the transaction of the step's intent: fails as DbError serialization unless it is granted and was never used.
void use_approval(Tx& tx, ApprovalId id);

std::vector<Approval> open_approvals(Tx& tx);                    // of this person, oldest first
std::vector<Approval> approvals_of(Tx& tx, base::RunId run);

// Decides what was asked too long ago as expired; the runs that may go on.
std::vector<base::RunId> expire_approvals(Db& db);

}  // namespace store
