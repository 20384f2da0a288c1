// The files of text that a checkpoint has beside its weights: in its folder, or carried by a file of another kind.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace engine {

class CheckpointFiles {
public:
    static CheckpointFiles in(std::filesystem::path folder);
    // `by_name` are the files' texts; `carrier` begins errors.
    static CheckpointFiles carried(std::filesystem::path carrier, std::map<std::string, std::string> by_name);
    // The chat templates that are files of their own, by their names: "default" is chat_template.jinja.
    std::vector<std::pair<std::string, std::string>> templates() const;
    // Of all that the loader reads what is there, the weights apart: what a carrier must carry.
    std::vector<std::string> present() const;

    bool has(const char* name) const;
    base::Result<std::string> text(const char* name) const;
    // Null where there is no such file; an error where it is no JSON. Python's NaN and infinities are read too.
    base::Result<base::Json> json(const char* name) const;
    // As errors call it.
    std::string shown(const char* name) const;

private:
    std::filesystem::path at_;
    bool carried_ = false;
    std::map<std::string, std::string> by_name_;
};

}  // namespace engine
