// What is done with traces as time goes by: anchors, their copy outside the database, verification, erasure of bodies.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/trace_chain.h"

namespace store {

// Today's anchor (UTC) of every tenant that has none yet; how many were made.
int anchor_traces(Tx& tx);

// The anchors that STATE/trace-anchors does not have yet are added to it, a line each: "TENANT DAY HASH". A whole run
// and the anchors that hold it may be removed from the database, not from there. Error{corrupt}: the database has
// another anchor than the file, or none.
base::Result<void> witness_anchors(Tx& tx, const std::filesystem::path& state_folder);

struct RunVerdict {
    base::RunId run;
    std::int64_t spans = 0, erased = 0;   // spans without the body that they had
    bool ended = false;                   // its root span is there, which is the last
    std::optional<ChainFault> fault;
};
// The chain of the run, and its spans against the anchors that hold them.
RunVerdict verify_run(Tx& tx, base::RunId run);
// Of at most `limit` runs that began before `before`, the newest first.
std::vector<RunVerdict> verify_runs(Tx& tx, std::optional<base::RunId> before, int limit);

struct AnchorVerdict {
    std::int64_t anchors = 0, heads = 0;
    std::vector<std::string> faults;      // anchors that do not follow, runs that are gone or changed
};
// Of the tenant, over the runs of everybody in it.
AnchorVerdict verify_anchors(Tx& tx, const std::filesystem::path& state_folder);

// Runs whose id begins so, the newest first.
std::vector<base::RunId> runs_named(Tx& tx, const std::string& beginning, int limit);

// Erases bodies of spans that began before `before`, and the oldest beyond `keep_bytes` of all people's together (0:
// no limit), at most `most` of them.
struct Erased {
    std::int64_t bodies = 0, bytes = 0;
};
Erased erase_bodies(Tx& tx, base::TimePoint before, std::int64_t keep_bytes, int most);
// Erases what everybody's runs have told (store/run_events.h) that began before that and have ended since, the oldest first;
// how many rows, at most `most`.
std::int64_t erase_events(Tx& tx, base::TimePoint before, int most);
// The same of what people's own directives and tones said when such runs began: how many runs.
std::int64_t erase_wishes(Tx& tx, base::TimePoint before, int most);

}  // namespace store
