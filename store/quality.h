// Measured quality as rows: what speaks for a version of a prompt.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using PromptVersions = std::map<std::string, int>;  // of every prompt that has a live version
PromptVersions live_versions(Tx& tx);

struct QualityRun {
    std::string model, cases;  // cases: a digest of all of them
    PromptVersions versions;   // in force
    int total = 0;
    std::vector<std::string> failed, failed_must;  // names; failed_must: of those that must pass where they did
    base::TimePoint created{};

    int passed() const { return total - int(failed.size()); }
};
void save_quality_run(Tx& tx, const QualityRun& run);
// The newest of these versions, model and cases.
std::optional<QualityRun> find_quality_run(Tx& tx, const PromptVersions& versions, const std::string& model, const std::string& cases);

// A version passes when some and at least as many cases pass as under the live versions, and none fails that must pass and does so under them.
bool passes(const QualityRun& tried, const QualityRun& live);

// What speaks for making this version live beside the others that are live now: "57 of 64 cases, live 56", of the newest
// run that passes. Error{conflict} naming the command that measures where there is none, and what the newest run found.
base::Result<std::string> quality_grounds(Tx& tx, const std::string& name, int version);

}  // namespace store
