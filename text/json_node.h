// Reads of an outside JSON file. Each value knows the keys that lead to it; the first thing that is wrong is
// kept with them, and reads after it give neutral values, so that a reader asks once at its end.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace text {

struct JsonProblem {
    std::string file;
    std::optional<base::Error> first;
    void tell(base::Code code, std::string message) {
        if (!first) first = base::error(code, file + ": " + message, code == base::Code::unsupported ? "use a model of a supported family" : "the file is damaged; fetch it again");
    }
};

class JsonNode {
public:
    JsonNode(const base::Json* value, std::string path, JsonProblem& problem) : value_(value), path_(std::move(path)), problem_(&problem) {}

    bool absent() const { return !value_ || value_->is_null(); }
    bool is_text() const { return value_ && value_->is_string(); }
    bool is_array() const { return value_ && value_->is_array(); }
    bool is_object() const { return value_ && value_->is_object(); }
    const std::string& path() const { return path_; }
    std::string shown() const;
    base::Json value() const { return value_ ? *value_ : base::Json(); }

    JsonNode operator[](const std::string& key) const;
    JsonNode at(std::size_t index) const;
    std::size_t size() const { return is_array() ? value_->size() : 0; }
    std::vector<JsonNode> items() const;  // of an array that must be there
    const base::Json& members() const;    // of an object that must be there

    std::string text() const;  // must be there, as the following without a default
    std::string text(const std::string& otherwise) const { return absent() ? otherwise : text(); }
    bool flag(bool otherwise) const;
    double number() const;
    std::int64_t integer(std::int64_t low, std::int64_t high) const;
    std::int64_t integer(std::int64_t low, std::int64_t high, std::int64_t otherwise) const { return absent() ? otherwise : integer(low, high); }

    void wrong(const std::string& expected) const;    // the file contradicts itself
    void refuse(const std::string& expected) const;   // well-formed, but not done here

private:
    const base::Json* value_;  // null: absent
    std::string path_;
    JsonProblem* problem_;
};

}  // namespace text
