#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "agents/quality.h"
#include "agents/service.h"
#include "net/yaml_fields.h"
#include "store/digest.h"

namespace agents::quality {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;
using base::OrderedJson;
using net::YamlFields;

constexpr const char* kLanguages[] = {"de", "en", "fr"};

// {city: Paris, days: [1, 2]}: a value, or the list of those that are right.
Json accepted(const YamlFields& call) {
    Json out = Json::object();
    if (!call.has("arguments")) return out;
    const YamlFields arguments = call.below("arguments", {});
    for (const auto& [name, value] : arguments.value().items()) out[name] = value.is_array() ? Json(value) : Json::array({Json(value)});
    return out;
}

std::vector<WantedCall> calls_of(const YamlFields& expect, const std::string& field) {
    std::vector<WantedCall> out;
    for (const YamlFields& call : expect.list(field, {"name", "arguments"})) out.push_back({call.text("name"), accepted(call)});
    return out;
}

// A path that stays in the folder.
void check_path(const YamlFields& files, const std::string& name) {
    const fs::path path(name);
    if (name.empty() || path.is_absolute() || path.lexically_normal() != path || *path.begin() == "..") files.wrong(name, "'" + name + "' is no path in the case's folder");
}

void read_calls(const YamlFields& fields, Expectation& out) {
    if (fields.has("calls")) out.calls = calls_of(fields, "calls");
    if (fields.has("no_calls") && fields.at("no_calls").is_boolean()) out.no_calls = fields.flag("no_calls");
    else out.never_calls = fields.texts("no_calls");
    if (!fields.has("client_calls")) return;
    if (fields.at("client_calls").is_boolean()) out.some_client_call = fields.flag("client_calls");
    else out.client_calls = calls_of(fields, "client_calls");
}

Expectation expectation_of(const YamlFields& fields) {
    if (fields.value().empty()) fields.wrong("", "a case must expect something");
    Expectation out;
    read_calls(fields, out);
    out.says = fields.texts("says");
    out.says_one_of = fields.texts("says_one_of");
    out.never = fields.texts("never");
    if (fields.has("leaves")) {
        const YamlFields leaves = fields.below("leaves", {});
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

OrderedJson tool_of(const YamlFields& root, const std::string& name, const YamlFields& fields) {
    if (!root.has("tools") || !root.at("tools").contains(name)) fields.wrong("tools", "there is no tool '" + name + "' under tools");
    const YamlFields tool = root.below("tools", {}).below(name, {"description", "parameters"});
    return {{"type", "function"}, {"function", {{"name", name}, {"description", tool.text("description")}, {"parameters", tool.at("parameters")}}}};
}

Case case_of(const YamlFields& root, const YamlFields& fields) {
    Case out;
    out.name = fields.text("name");
    if (out.name.find('/') == out.name.npos || out.name.ends_with('/')) fields.wrong("name", "'" + out.name + "' must be a group, '/' and a name");
    out.agent = fields.text("agent");
    if (!is_agent(out.agent)) fields.wrong("agent", "'" + out.agent + "' is no agent: these are hearth and hearth/NAME");
    out.must = fields.flag("must");
    for (const std::string& tool : fields.texts("tools")) out.tools.push_back(tool_of(root, tool, fields));
    if (fields.has("files")) {
        const YamlFields files = fields.below("files", {});
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
        const YamlFields root(*yaml, file, "", {"tools", "cases"});
        for (const YamlFields& fields : root.list("cases", {"name", "agent", "must", "files", "tools", "ask", "expect"})) {
            out.all.push_back(case_of(root, fields));
            if (!names.insert(out.all.back().name).second) fields.wrong("name", "there are two cases '" + out.all.back().name + "'");
        }
        if (out.all.empty()) root.wrong("cases", "there is no case");
    } catch (const net::WrongYaml& wrong) {
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
