#include "text/json_node.h"

#include <cmath>

namespace text {
namespace {

constexpr std::size_t most_shown = 300;

}  // namespace

std::string JsonNode::shown() const {
    if (!value_) return "missing";
    std::string text = base::dump(*value_);
    if (text.size() > most_shown) text = text.substr(0, most_shown) + "…";
    return text;
}

JsonNode JsonNode::operator[](const std::string& key) const {
    const base::Json* child = nullptr;
    if (is_object())
        if (const auto it = value_->find(key); it != value_->end()) child = &*it;
    return {child, path_.empty() ? key : path_ + "." + key, *problem_};
}

JsonNode JsonNode::at(std::size_t index) const {
    return {index < size() ? &(*value_)[index] : nullptr, path_ + "[" + std::to_string(index) + "]", *problem_};
}

std::vector<JsonNode> JsonNode::items() const {
    std::vector<JsonNode> out;
    if (!is_array()) wrong("an array");
    for (std::size_t i = 0; i < size(); ++i) out.push_back(at(i));
    return out;
}

const base::Json& JsonNode::members() const {
    static const base::Json none = base::Json::object();
    if (is_object()) return *value_;
    wrong("an object");
    return none;
}

std::string JsonNode::text() const {
    if (is_text()) return value_->get<std::string>();
    wrong("a string");
    return {};
}

bool JsonNode::flag(bool otherwise) const {
    if (absent()) return otherwise;
    if (value_->is_boolean()) return value_->get<bool>();
    wrong("true or false");
    return otherwise;
}

double JsonNode::number() const {
    if (value_ && value_->is_number() && std::isfinite(value_->get<double>())) return value_->get<double>();
    wrong("a number");
    return 0;
}

std::int64_t JsonNode::integer(std::int64_t low, std::int64_t high) const {
    const bool whole = value_ && value_->is_number_integer() && !(value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t(high));
    if (whole && value_->get<std::int64_t>() >= low && value_->get<std::int64_t>() <= high) return value_->get<std::int64_t>();
    wrong("an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return low;
}

void JsonNode::wrong(const std::string& expected) const {
    problem_->tell(base::Code::corrupt, "key '" + path_ + "' is " + shown() + ", expected " + expected);
}

void JsonNode::refuse(const std::string& expected) const {
    problem_->tell(base::Code::unsupported, "key '" + path_ + "' is " + shown() + "; this engine knows " + expected);
}

}  // namespace text
