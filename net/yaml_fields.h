// The members of one map of a YAML file, each by a name that is known there: what is wrong is told with file and line.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/yaml.h"

namespace net {

// Thrown by YamlFields, caught where the file is read: Error{invalid_argument}.
struct WrongYaml {
    base::Error error;
};

class YamlFields {
public:
    // Of the map at the JSON pointer; known empty: any names. `yaml` and `file` outlive it.
    YamlFields(const Yaml& yaml, const std::string& file, std::string pointer, const std::set<std::string>& known);

    bool has(const std::string& name) const { return value_.contains(name); }
    const base::OrderedJson& at(const std::string& name) const;
    std::string text(const std::string& name) const;
    std::string text_or(const std::string& name, const std::string& otherwise) const { return has(name) ? text(name) : otherwise; }
    bool flag(const std::string& name) const;  // false where it is not there
    // One text, or a list of them; none where the field is not there.
    std::vector<std::string> texts(const std::string& name) const;
    YamlFields below(const std::string& name, const std::set<std::string>& known) const;
    std::vector<YamlFields> list(const std::string& name, const std::set<std::string>& known) const;
    const base::OrderedJson& value() const { return value_; }
    [[noreturn]] void wrong(const std::string& name, const std::string& what) const;

private:
    std::string place(const std::string& name) const;
    std::string text(const base::OrderedJson& value, const std::string& at) const;
    [[noreturn]] void refuse(const std::string& at, const std::string& what) const;

    const Yaml& yaml_;
    const std::string& file_;
    std::string pointer_;
    const base::OrderedJson& value_;
};

}  // namespace net
