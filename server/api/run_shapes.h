// A run, and what it asks a person for, as clients read them.
#pragma once

#include "base/json.h"
#include "store/approvals.h"
#include "store/runs.h"

namespace server::api {

base::Json run_json(const store::Run& run);
base::Json approval_json(const store::Approval& approval);

}  // namespace server::api
