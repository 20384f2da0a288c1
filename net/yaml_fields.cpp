#include "net/yaml_fields.h"

namespace net {

using base::OrderedJson;

YamlFields::YamlFields(const Yaml& yaml, const std::string& file, std::string pointer, const std::set<std::string>& known)
    : yaml_(yaml), file_(file), pointer_(std::move(pointer)), value_(yaml.value.at(OrderedJson::json_pointer(pointer_))) {
    if (!value_.is_object()) refuse(pointer_, "a map is expected");
    for (const auto& [name, value] : value_.items())
        if (!known.empty() && !known.contains(name)) refuse(place(name), "the field '" + name + "' is not known here");
}

const OrderedJson& YamlFields::at(const std::string& name) const {
    if (!has(name)) refuse(pointer_, "the field '" + name + "' is missing");
    return value_.at(name);
}

std::string YamlFields::text(const std::string& name) const { return text(at(name), place(name)); }

bool YamlFields::flag(const std::string& name) const {
    if (!has(name)) return false;
    if (!at(name).is_boolean()) refuse(place(name), "'" + name + "' must be true or false");
    return at(name).get<bool>();
}

std::vector<std::string> YamlFields::texts(const std::string& name) const {
    std::vector<std::string> out;
    if (!has(name)) return out;
    const OrderedJson& value = at(name);
    if (!value.is_array()) return {text(value, place(name))};
    for (std::size_t i = 0; i < value.size(); ++i) out.push_back(text(value[i], place(name) + "/" + std::to_string(i)));
    return out;
}

YamlFields YamlFields::below(const std::string& name, const std::set<std::string>& known) const {
    at(name);
    return {yaml_, file_, place(name), known};
}

std::vector<YamlFields> YamlFields::list(const std::string& name, const std::set<std::string>& known) const {
    if (!at(name).is_array()) refuse(place(name), "'" + name + "' must be a list");
    std::vector<YamlFields> out;
    for (std::size_t i = 0; i < at(name).size(); ++i) out.push_back({yaml_, file_, place(name) + "/" + std::to_string(i), known});
    return out;
}

void YamlFields::wrong(const std::string& name, const std::string& what) const { refuse(has(name) ? place(name) : pointer_, what); }

std::string YamlFields::place(const std::string& name) const { return (OrderedJson::json_pointer(pointer_) / name).to_string(); }

std::string YamlFields::text(const OrderedJson& value, const std::string& at) const {
    if (value.is_string() && !value.get<std::string>().empty()) return value.get<std::string>();
    if (value.is_number()) return value.dump();
    refuse(at, "a text is expected");
}

void YamlFields::refuse(const std::string& at, const std::string& what) const {
    throw WrongYaml{base::error(base::Code::invalid_argument, file_ + ", line " + std::to_string(yaml_.line(at)) + ": " + what)};
}

}  // namespace net
