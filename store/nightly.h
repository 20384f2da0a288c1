// The one batch a day of a tenant.
#pragma once

#include <optional>

#include "store/node_days.h"

namespace store {

struct NightlyBatch {
    Day day{};
    base::RunId run;
    base::ConversationId conversation;
    base::PersonId person;   // whose run it is
    std::string state;       // running | done | failed
    base::Json answer;       // null: callers wait for it
    int attempts = 1;        // runs that it took
    base::TimePoint started{};
};
inline std::string batch_id(Day day) { return "nightly-" + day_text(day); }

std::optional<NightlyBatch> find_batch(Tx& tx, Day day);
// False: the day has one already. The run is made in the same transaction, before it.
bool begin_batch(Tx& tx, Day day, base::RunId run, base::ConversationId conversation);
// A batch that failed, taken up again by another run. False: it has not failed, or another caller was faster.
bool begin_batch_again(Tx& tx, Day day, base::RunId run);
void answer_batch(Tx& tx, Day day, const base::Json& answer);
void end_batch(Tx& tx, Day day, bool failed);
// Of a batch whose run ends before its time: done where callers have their answer, else failed, and they are told why.
void break_off_batch(Tx& tx, const NightlyBatch& batch, const std::string& why);
// Of a batch that was read as running, and whose run may have ended since: true where nothing is left to do for it. One whose
// run ended without ending it is broken off with the run's error; one that its run has ended meanwhile keeps what callers are told.
bool settle_batch(Tx& tx, const NightlyBatch& batch);
// Those that no run holds any more though they have not ended: whose process went away.
std::vector<NightlyBatch> open_batches(Tx& tx);
// When the tenant was made: nothing before it is caught up with.
base::TimePoint tenant_made(Tx& tx);

}  // namespace store
