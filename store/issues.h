// Failures, what the review of them has found, and the builds that ran. In transactions of the owner.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using IssueId = base::Id<struct IssueTag>;

struct Failure {
    base::RunId run;
    std::string of;           // run | tool
    std::string name, state;  // the agent and its final state, or the tool and its step's
    std::string error;
    base::TimePoint at{};
};
// After `since`, until `until`; the oldest first.
std::vector<Failure> failures_between(Tx& tx, base::TimePoint since, base::TimePoint until);

// Until when failures were looked at; nothing: never. Nobody else reviews until the transaction's end.
std::optional<base::TimePoint> hold_review(Tx& tx);
void end_review(Tx& tx, base::TimePoint until);

// Failures that are alike.
struct Cluster {
    std::string signature, title;
    std::int64_t count = 0;
    std::vector<base::RunId> runs;  // the newest last
    base::TimePoint first{}, last{};
};

// needs-triage → ready-to-fix → fixed-locally → deployed, or closed: it is known, and nothing is to be done.
struct Issue {
    IssueId id;
    Cluster seen;
    std::string state;
    std::string first_build, fixed_build, regressed_build;  // the last two may be empty
};
inline constexpr const char* kIssueStates[] = {"needs-triage", "ready-to-fix", "fixed-locally", "deployed", "closed"};

enum class Filed { fresh, known, back };  // back: in a build that has its fix
// An issue for it, or more evidence for the one that there is.
Filed file_issue(Tx& tx, const Cluster& cluster, const std::string& build);
// Those to be seen to first.
std::vector<Issue> list_issues(Tx& tx, bool closed);
// By id or the beginning of one. Error{not_found}; {conflict}.
base::Result<Issue> find_issue(Tx& tx, const std::string& id);
// Error{invalid_argument}: there is no such state, or it is not said by hand.
base::Result<void> mark_issue(Tx& tx, IssueId id, const std::string& state);

// A server of this build runs: whether it is the first time. What was fixed locally is deployed with it then.
bool note_deploy(Tx& tx, const std::string& build, const std::string& version);

}  // namespace store
