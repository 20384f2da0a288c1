// Prompts as rows: versions of a name, a label that says which is live. Seeds are version 1.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/db.h"

namespace store {

struct Prompt {
    std::string name;
    int version = 0;
    std::string body;
};
// The live version of each; Error{not_found} naming a prompt whose row is missing.
base::Result<std::map<std::string, Prompt>> live_prompts(Tx& tx, const std::vector<std::string>& names);
// These versions, and the live one of each name that they lack.
base::Result<std::map<std::string, Prompt>> prompts_of(Tx& tx, const std::vector<std::string>& names, const std::map<std::string, int>& versions);

// A version as it was saved; versions never change.
struct PromptVersion {
    Prompt prompt;
    std::vector<std::string> labels;  // draft | live | previous | shipped
    base::TimePoint created{};
    std::string released;             // the newest grounds: "quality: …", "override: …", "rollback: …"; empty: never
};
struct PromptSummary {
    std::string name;
    int live = 0, newest = 0, shipped = 0;
};
std::vector<PromptSummary> list_prompts(Tx& tx);
// Newest first; Error{not_found} for a name that no agent reads, {permission_denied} for a prime directive's, here and in all that follows.
base::Result<std::vector<PromptVersion>> prompt_versions(Tx& tx, const std::string& name);

// "3", a label, or nothing for what is live. `versions`: of one prompt, at least one.
base::Result<PromptVersion> choose_version(const std::vector<PromptVersion>& versions, const std::string& wanted);
// Name and version of "recompose@3", "recompose@draft"; nothing for another form.
std::optional<std::pair<std::string, std::string>> split_version(const std::string& text);

// The next version, labelled draft. Error{invalid_argument} for a text that would fail when it is read: a placeholder that
// the shipped version does not have, worked examples that cannot be read, nothing at all.
base::Result<int> save_prompt(Tx& tx, const std::string& name, const std::string& body);
// A name that there is not yet, for an agent of one's own: version 1, a draft. Error{conflict} of one that there is.
base::Result<int> create_prompt(Tx& tx, const std::string& name, const std::string& body);

// What speaks for a version.
enum class Grounds {
    quality,   // it passed the cases of hearth quality run; the reason is read from there
    override_, // a person's word alone; the reason is his
    rollback,  // it was live before
};
// Makes it live for every run that begins from now on; what was live is previous. Error{not_found} for no such version,
// {invalid_argument} for an override without reason, {conflict} when it is live, and of quality when nothing speaks for it.
base::Result<void> release_prompt(Tx& tx, const std::string& name, int version, Grounds grounds, const std::string& reason);
// Back to `previous`, which becomes live again; which version that is. Error{not_found} when nothing was live before.
base::Result<int> roll_back_prompt(Tx& tx, const std::string& name);

}  // namespace store
