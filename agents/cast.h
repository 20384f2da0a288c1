// The agents as data: what each is called, which loop it runs, what it sees, and whom it may ask. There is no agent that is not
// a row and its prompts; deploy/agents.yaml has those that come with Hearth.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "policy/types.h"
#include "router/roster.h"

namespace tools {
class Source;
}

namespace agents {

struct AgentRow {
    enum class Machine {
        pipeline,  // the phase table
        loop,      // run_agent alone
    };
    std::string name;     // as clients name it: hearth, or hearth/NAME
    std::string purpose;  // a sentence for people, and for an agent that may ask it
    Machine machine = Machine::loop;
    policy::Scope scope = policy::Scope::home;  // whose tools it may have; in dev it works in a folder of the client's
    std::string key;      // chat, dev or admin: the scope of a key that may call it
    std::string prompt, examples;         // prompts: who it is; turns with calls, for a model that needs guidance; empty: none
    std::string answer, answer_examples;  // the same where none of its tools is called; empty: `prompt`, no examples
    bool all_tools = false;               // of its scope; else `tools`
    std::vector<std::string> tools;
    std::vector<std::string> asks;        // agents that it sees as tools; kCharacters: those of the roster too
    base::OrderedJson input;              // JSON Schema of a task for it
    int tokens = 0;                       // the most that it may write of one task; 0: half of what the asking run has left
};

// Of one who is told what to do in one text.
base::OrderedJson task_schema();

// The tool by which another agent asks that one: ask_knowledge for hearth/knowledge.
std::string asking_tool(const AgentRow& row);

// Whether an agent with `mine`'s rights may set the other one to work: it has no other scope than home or the same, and no key that may more.
bool within_rights(const AgentRow& other, const AgentRow& mine);

// Names that no model may have.
bool is_agent(std::string_view name);

class Cast {
public:
    static constexpr std::size_t kLongestMenu = 12;  // more tools than that, and models choose badly

    // Rows of the file come beside `base`'s, or in the place of one that has the same name. Error{invalid_argument} naming
    // file and line.
    static base::Result<Cast> parse(const std::string& yaml, const std::string& file, const Cast& base);
    static base::Result<Cast> read(const std::filesystem::path& file, const Cast& base);

    const AgentRow* find(std::string_view name) const;
    const AgentRow* find_asked(std::string_view tool) const;  // by asking_tool
    const std::vector<AgentRow>& rows() const { return rows_; }
    std::string names() const;  // "hearth, hearth/dev and hearth/knowledge"

    // Whether the menus hold: each tool there is and of the row's scope, at most kLongestMenu with the agents that it may ask and the
    // roster's characters, and those agents with no other scope than home or its own, and with no key that may more.
    base::Result<void> check(const tools::Source& tools, const std::vector<router::Alias>& roster = {}) const;

private:
    std::vector<AgentRow> rows_;
};

// What deploy/agents.yaml says.
const std::shared_ptr<const Cast>& shipped_cast();

}  // namespace agents
