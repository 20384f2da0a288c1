#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "agents/quality.h"
#include "agents/service.h"
#include "net/yaml.h"
#include "store/digest.h"

namespace agents::quality {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;
using base::OrderedJson;

constexpr const char* kLanguages[] = {"de", "en", "fr"};

struct Wrong {
    base::Error error;
};

// The members of one map of the file, each by a name that is known there.
class Fields {
public:
    Fields(const net::Yaml& yaml, const std::string& file, std::string pointer, const std::set<std::string>& known)
        : yaml_(yaml), file_(file), pointer_(std::move(pointer)), value_(yaml.value.at(OrderedJson::json_pointer(pointer_))) {
        if (!value_.is_object()) refuse(pointer_, "a map is expected");
        for (const auto& [name, value] : value_.items())
            if (!known.empty() && !known.contains(name)) refuse(place(name), "the field '" + name + "' is not known here");
    }

    bool has(const std::string& name) const { return value_.contains(name); }
    const OrderedJson& at(const std::string& name) const {
        if (!has(name)) refuse(pointer_, "the field '" + name + "' is missing");
        return value_.at(name);
    }
    std::string text(const std::string& name) const { return text(at(name), place(name)); }
    bool flag(const std::string& name) const {
        if (!has(name)) return false;
        if (!at(name).is_boolean()) refuse(place(name), "'" + name + "' must be true or false");
        return at(name).get<bool>();
    }
    // One text, or a list of them; none where the field is not there.
    std::vector<std::string> texts(const std::string& name) const {
        std::vector<std::string> out;
        if (!has(name)) return out;
        const OrderedJson& value = at(name);
        if (!value.is_array()) return {text(value, place(name))};
        for (std::size_t i = 0; i < value.size(); ++i) out.push_back(text(value[i], place(name) + "/" + std::to_string(i)));
        return out;
    }
    Fields below(const std::string& name, const std::set<std::string>& known) const {
        at(name);
        return {yaml_, file_, place(name), known};
    }
    std::vector<Fields> list(const std::string& name, const std::set<std::string>& known) const {
        if (!at(name).is_array()) refuse(place(name), "'" + name + "' must be a list");
        std::vector<Fields> out;
        for (std::size_t i = 0; i < at(name).size(); ++i) out.push_back({yaml_, file_, place(name) + "/" + std::to_string(i), known});
        return out;
    }
    const OrderedJson& value() const { return value_; }
    [[noreturn]] void wrong(const std::string& name, const std::string& what) const { refuse(has(name) ? place(name) : pointer_, what); }

private:
    std::string place(const std::string& name) const { return (OrderedJson::json_pointer(pointer_) / name).to_string(); }
    std::string text(const OrderedJson& value, const std::string& at) const {
        if (value.is_string() && !value.get<std::string>().empty()) return value.get<std::string>();
        if (value.is_number()) return value.dump();
        refuse(at, "a text is expected");
    }
    [[noreturn]] void refuse(const std::string& at, const std::string& what) const {
        throw Wrong{base::error(Code::invalid_argument, file_ + ", line " + std::to_string(yaml_.line(at)) + ": " + what)};
    }

    const net::Yaml& yaml_;
    const std::string& file_;
    std::string pointer_;
    const OrderedJson& value_;
};

// {city: Paris, days: [1, 2]}: a value, or the list of those that are right.
Json accepted(const Fields& call) {
    Json out = Json::object();
    if (!call.has("arguments")) return out;
    const Fields arguments = call.below("arguments", {});
    for (const auto& [name, value] : arguments.value().items()) out[name] = value.is_array() ? Json(value) : Json::array({Json(value)});
    return out;
}

std::vector<WantedCall> calls_of(const Fields& expect, const std::string& field) {
    std::vector<WantedCall> out;
    for (const Fields& call : expect.list(field, {"name", "arguments"})) out.push_back({call.text("name"), accepted(call)});
    return out;
}

// A path that stays in the folder.
void check_path(const Fields& files, const std::string& name) {
    const fs::path path(name);
    if (name.empty() || path.is_absolute() || path.lexically_normal() != path || *path.begin() == "..") files.wrong(name, "'" + name + "' is no path in the case's folder");
}

void read_calls(const Fields& fields, Expectation& out) {
    if (fields.has("calls")) out.calls = calls_of(fields, "calls");
    if (fields.has("no_calls") && fields.at("no_calls").is_boolean()) out.no_calls = fields.flag("no_calls");
    else out.never_calls = fields.texts("no_calls");
    if (!fields.has("client_calls")) return;
    if (fields.at("client_calls").is_boolean()) out.some_client_call = fields.flag("client_calls");
    else out.client_calls = calls_of(fields, "client_calls");
}

Expectation expectation_of(const Fields& fields) {
    if (fields.value().empty()) fields.wrong("", "a case must expect something");
    Expectation out;
    read_calls(fields, out);
    out.says = fields.texts("says");
    out.says_one_of = fields.texts("says_one_of");
    out.never = fields.texts("never");
    if (fields.has("leaves")) {
        const Fields leaves = fields.below("leaves", {});
        for (const auto& [name, value] : leaves.value().items()) {
            check_path(leaves, name);
            if (!value.is_null() && !value.is_string() && value != OrderedJson(true)) leaves.wrong(name, "'" + name + "' must be a text, true or null");
            out.leaves[name] = Json(value);
        }
    }
    const bool asks_client = out.some_client_call || (out.client_calls && !out.client_calls->empty());
    out.states = fields.has("state") ? fields.texts("state") : std::vector<std::string>{asks_client ? "waiting_client" : "answered"};
    if (!fields.has("language")) return out;
    out.language = fields.text("language");
    if (std::count(std::begin(kLanguages), std::end(kLanguages), out.language) == 0) fields.wrong("language", "'language' must be de, en or fr");
    return out;
}

OrderedJson tool_of(const Fields& root, const std::string& name, const Fields& fields) {
    if (!root.has("tools") || !root.at("tools").contains(name)) fields.wrong("tools", "there is no tool '" + name + "' under tools");
    const Fields tool = root.below("tools", {}).below(name, {"description", "parameters"});
    return {{"type", "function"}, {"function", {{"name", name}, {"description", tool.text("description")}, {"parameters", tool.at("parameters")}}}};
}

Case case_of(const Fields& root, const Fields& fields) {
    Case out;
    out.name = fields.text("name");
    if (out.name.find('/') == out.name.npos || out.name.ends_with('/')) fields.wrong("name", "'" + out.name + "' must be a group, '/' and a name");
    out.agent = fields.text("agent");
    if (!is_agent(out.agent)) fields.wrong("agent", "'" + out.agent + "' is no agent: hearth or hearth/dev");
    out.must = fields.flag("must");
    for (const std::string& tool : fields.texts("tools")) out.tools.push_back(tool_of(root, tool, fields));
    if (fields.has("files")) {
        const Fields files = fields.below("files", {});
        for (const auto& [name, value] : files.value().items()) {
            check_path(files, name);
            out.files[name] = value == OrderedJson("") ? "" : files.text(name);
        }
    }
    for (const std::string& text : fields.texts("ask")) out.turns.push_back({Json{{"role", "user"}, {"content", text}}});
    if (out.turns.empty()) fields.wrong("ask", "a case must ask something");
    out.expect = expectation_of(fields.below("expect", {"calls", "no_calls", "client_calls", "says", "says_one_of", "never", "leaves", "state", "language"}));
    if (out.agent != "hearth/dev" && !(out.files.empty() && out.expect.leaves.empty())) fields.wrong(fields.has("files") ? "files" : "expect", "'" + out.agent + "' works in no folder of a client's: hearth/dev does");
    return out;
}

}  // namespace

base::Result<Cases> parse_cases(const std::string& text, const std::string& file) {
    const auto yaml = net::parse_yaml(text, file);
    if (!yaml) return yaml.error();
    Cases out;
    out.digest = store::sha256_hex(text);
    std::set<std::string> names;
    try {
        const Fields root(*yaml, file, "", {"tools", "cases"});
        for (const Fields& fields : root.list("cases", {"name", "agent", "must", "files", "tools", "ask", "expect"})) {
            out.all.push_back(case_of(root, fields));
            if (!names.insert(out.all.back().name).second) fields.wrong("name", "there are two cases '" + out.all.back().name + "'");
        }
        if (out.all.empty()) root.wrong("cases", "there is no case");
    } catch (const Wrong& wrong) {
        return wrong.error;
    }
    return out;
}

base::Result<Cases> read_cases(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return base::error(Code::not_found, "there are no cases at " + file.string(), "set quality.cases");
    return parse_cases({std::istreambuf_iterator<char>(in), {}}, file.string());
}

}  // namespace agents::quality
