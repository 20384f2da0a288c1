#include "agents/cast.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "agents/characters.h"
#include "base/embedded.h"
#include "net/yaml_fields.h"
#include "tools/collections.h"

namespace agents {

extern const base::EmbeddedFile cast_files[];

namespace {

using base::Code;
using base::OrderedJson;
using net::YamlFields;

constexpr std::string_view kFamily = "hearth";
constexpr const char* kKeys[] = {"chat", "dev", "admin"};  // the later may more, as far as agents go
constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";

int rank(const std::string& key) { return int(std::find(std::begin(kKeys), std::end(kKeys), key) - std::begin(kKeys)); }

std::string checked_name(const YamlFields& fields) {
    const std::string name = fields.text("name");
    const std::string_view own = std::string_view(name).substr(std::min(name.size(), kFamily.size() + 1));
    if (!is_agent(name) || own.find_first_not_of(kLetters) != own.npos || own.size() > 32)
        fields.wrong("name", "'" + name + "' must be hearth, or hearth/ and at most 32 small letters, digits and _");
    return name;
}

// One text a field: {"question": "what is to be found out"}; a field whose text ends in "?" may be missing.
OrderedJson schema_of(const YamlFields& fields) {
    if (!fields.has("input")) return task_schema();
    OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
    const YamlFields input = fields.below("input", {});
    for (const auto& [name, what] : input.value().items()) {
        const std::string text = input.text(name);
        const bool optional = text.ends_with('?');
        properties[name] = {{"type", "string"}, {"description", optional ? text.substr(0, text.size() - 1) : text}};
        if (optional) continue;
        properties[name]["minLength"] = 1;
        required.push_back(name);
    }
    return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
}

AgentRow row_of(const YamlFields& fields) {
    AgentRow row;
    row.name = checked_name(fields);
    row.purpose = fields.text("purpose");
    const std::string machine = fields.text_or("machine", "loop"), scope = fields.text("scope"), tokens = fields.text_or("tokens", "0");
    if (machine != "loop" && machine != "pipeline") fields.wrong("machine", "'machine' must be loop or pipeline");
    const auto known = policy::parse_scope(scope);
    if (!known) fields.wrong("scope", "'scope' must be home, dev or admin");
    row.machine = machine == "loop" ? AgentRow::Machine::loop : AgentRow::Machine::pipeline;
    row.scope = *known;
    row.key = fields.text_or("key", scope == "home" ? "chat" : scope);
    if (rank(row.key) == std::size(kKeys)) fields.wrong("key", "'key' must be chat, dev or admin");
    row.prompt = fields.text("prompt");
    row.examples = fields.text_or("examples", "");
    row.answer = fields.text_or("answer", "");
    row.answer_examples = fields.text_or("answer_examples", "");
    row.tools = fields.texts("tools");
    row.all_tools = row.tools == std::vector<std::string>{"all"};
    if (row.all_tools) row.tools.clear();
    row.asks = fields.texts("asks");
    row.input = schema_of(fields);
    if (tokens.find_first_not_of("0123456789") != tokens.npos || tokens.size() > 6) fields.wrong("tokens", "'tokens' must be a whole number below a million");
    row.tokens = std::stoi(tokens);
    return row;
}

base::Error wrong_row(const AgentRow& row, const std::string& what, const std::string& remedy) {
    return base::error(Code::invalid_argument, "the agent " + row.name + " " + what, remedy);
}

}  // namespace

OrderedJson task_schema() {
    const OrderedJson task = {{"type", "string"}, {"minLength", 1}, {"description", "what is to be done, with all that it needs to know: it sees nothing of this conversation"}};
    return {{"type", "object"}, {"properties", {{"task", task}}}, {"required", {"task"}}, {"additionalProperties", false}};
}

std::string asking_tool(const AgentRow& row) { return "ask_" + row.name.substr(std::min(row.name.size(), kFamily.size() + 1)); }

bool within_rights(const AgentRow& other, const AgentRow& mine) {
    return rank(other.key) <= rank(mine.key) && (other.scope == policy::Scope::home || other.scope == mine.scope);
}

bool is_agent(std::string_view name) { return name == kFamily || (name.starts_with(kFamily) && name.substr(kFamily.size()).starts_with('/') && name.size() > kFamily.size() + 1); }

base::Result<Cast> Cast::parse(const std::string& text, const std::string& file, const Cast& base) {
    const auto yaml = net::parse_yaml(text, file);
    if (!yaml) return yaml.error();
    Cast out = base;
    std::vector<std::string> seen;
    try {
        const YamlFields root(*yaml, file, "", {"agents"});
        for (const YamlFields& fields : root.list("agents", {"name", "purpose", "machine", "scope", "key", "prompt", "examples", "answer", "answer_examples", "tools", "asks", "input", "tokens"})) {
            AgentRow row = row_of(fields);
            if (std::count(seen.begin(), seen.end(), row.name) > 0) fields.wrong("name", "there are two agents '" + row.name + "'");
            seen.push_back(row.name);
            const auto same = std::find_if(out.rows_.begin(), out.rows_.end(), [&](const AgentRow& other) { return other.name == row.name; });
            if (same == out.rows_.end()) out.rows_.push_back(std::move(row));
            else *same = std::move(row);
        }
    } catch (const net::WrongYaml& wrong) {
        return wrong.error;
    }
    return out;
}

base::Result<Cast> Cast::read(const std::filesystem::path& file, const Cast& base) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return base::error(Code::not_found, "there are no agents at " + file.string(), "set agents.file to a readable file, or leave it empty");
    return parse({std::istreambuf_iterator<char>(in), {}}, file.string(), base);
}

const AgentRow* Cast::find(std::string_view name) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const AgentRow& row) { return row.name == name; });
    return found == rows_.end() ? nullptr : &*found;
}

const AgentRow* Cast::find_asked(std::string_view tool) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const AgentRow& row) { return asking_tool(row) == tool; });
    return found == rows_.end() ? nullptr : &*found;
}

std::string Cast::names() const {
    std::string out;
    for (std::size_t i = 0; i < rows_.size(); ++i) out += (i == 0 ? "" : i + 1 == rows_.size() ? " and " : ", ") + rows_[i].name;
    return out;
}

base::Result<void> Cast::check(const tools::Source& tools, const std::vector<router::Alias>& roster) const {
    const std::vector<router::Alias> characters = characters_of(roster);
    for (const router::Alias& character : characters)
        if (const AgentRow* const row = find_asked(asking_tool(character)))
            return base::error(Code::invalid_argument, "the roster's " + character.name + " has a character, and would be asked as the agent " + row->name + " is", "give it another name");
    for (const AgentRow& row : rows_) {
        const auto offered = tools.list(row.scope);
        for (const std::string& name : row.tools) {
            const bool there = std::any_of(offered.begin(), offered.end(), [&](const tools::Tool* tool) { return tool->name == name; });
            if (!there) return wrong_row(row, "names the tool '" + name + "', which the scope " + std::string(policy::name(row.scope)) + " does not have", "leave it out of its tools");
        }
        const std::size_t asks = asks_characters(row) ? row.asks.size() - 1 + characters.size() : row.asks.size();
        // Those of collections are shown to who has made some, whatever else there is.
        const auto always = std::size_t(std::count_if(offered.begin(), offered.end(), [](const tools::Tool* tool) { return !tools::is_of_collections(tool->name); }));
        const std::size_t menu = (row.all_tools ? always : row.tools.size()) + asks;
        if (menu > kLongestMenu) return wrong_row(row, "would see " + std::to_string(menu) + " tools, and models choose badly among more than " + std::to_string(kLongestMenu), "name fewer under tools and asks, or fewer of the roster with a character");
        for (const std::string& name : row.asks) {
            if (name == kCharacters) continue;
            const AgentRow* const asked = find(name);
            if (!asked || asked == &row) return wrong_row(row, "asks '" + name + "', which is " + (asked ? "itself" : "no agent"), "name another agent");
            if (asked->machine != AgentRow::Machine::loop) return wrong_row(row, "asks " + name + ", which answers people only", "name an agent whose machine is loop");
            if (!within_rights(*asked, row))
                return wrong_row(row, "asks " + name + ", which may more than itself", "let it have the key and scope of " + name + ", or not ask it");
        }
    }
    return {};
}

const std::shared_ptr<const Cast>& shipped_cast() {
    static const std::shared_ptr<const Cast> cast = [] {
        auto parsed = Cast::parse(std::string(cast_files[0].text, cast_files[0].size), "agents.yaml", {});
        if (!parsed) throw std::logic_error(parsed.error().text());
        return std::make_shared<const Cast>(*std::move(parsed));
    }();
    return cast;
}

}  // namespace agents
