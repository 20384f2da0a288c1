// Secrets in the arguments of a call: which it names, and their values for the one call that they are opened for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/redact.h"
#include "net/task.h"
#include "store/db.h"
#include "tools/tool.h"

namespace tools {

// The names of the secrets that the arguments stand for, each once. Error{invalid_argument}: a handle where the tool takes none,
// or, of a tool that takes secrets, inside of a longer text: nothing is ever put in there.
base::Result<std::vector<std::string>> named_secrets(const Tool& tool, const base::Json& arguments);

class Secrets {
public:
    // `redactor`: what the database and the log take out of what they hold.
    Secrets(store::Db& db, std::filesystem::path state_folder, std::shared_ptr<base::Redactor> redactor) : db_(db), state_folder_(std::move(state_folder)), redactor_(std::move(redactor)) {}

    // Whether all of them are there, for this person and this tool. No value is opened.
    net::Task<base::Result<void>> check(store::Identity who, std::vector<std::string> names, std::string tool) const;
    net::Task<base::Result<OpenSecrets>> open(store::Identity who, std::vector<std::string> names, std::string tool) const;

private:
    store::Db& db_;
    const std::filesystem::path state_folder_;
    const std::shared_ptr<base::Redactor> redactor_;
};

}  // namespace tools
