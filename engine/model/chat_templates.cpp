#include "engine/model/chat_templates.h"

#include "text/either_template.h"

namespace engine {
namespace {

constexpr const char *kDefault = "default", *kToolUse = "tool_use";

}  // namespace

void ChatTemplates::add(std::string name, std::string source) {
    if (!source.empty() && !find(name)) all_.emplace_back(std::move(name), std::move(source));
}

const std::string* ChatTemplates::find(const std::string& name) const {
    for (const auto& [own, source] : all_)
        if (own == name) return &source;
    return nullptr;
}

std::vector<std::string> ChatTemplates::names() const {
    std::vector<std::string> out;
    for (const auto& one : all_) out.push_back(one.first);
    return out;
}

std::string ChatTemplates::plain() const { return find(kDefault) ? kDefault : ""; }
std::string ChatTemplates::with_tools() const { return find(kToolUse) ? kToolUse : plain(); }

std::string ChatTemplates::text() const {
    if (empty()) return {};
    std::string named;
    for (const std::string& name : names()) named += (named.empty() ? "" : ", ") + name;
    const auto source = [&](const std::string& name) {
        const std::string* const found = find(name);
        return found ? *found : text::refusing_template("the model has chat templates called " + named + " and none called " + kDefault + ": give it one, as the file chat_template.jinja of its folder");
    };
    const std::string plain = source(this->plain()), tools = source(with_tools());
    return plain == tools ? plain : text::either_template(plain, tools);
}

}  // namespace engine
