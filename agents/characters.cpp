#include "agents/characters.h"

#include <algorithm>

#include "router/gateway.h"

namespace agents {

bool asks_characters(const AgentRow& row) { return std::find(row.asks.begin(), row.asks.end(), kCharacters) != row.asks.end(); }

std::vector<router::Alias> characters_of(std::vector<router::Alias> roster) {
    std::erase_if(roster, [](const router::Alias& alias) { return alias.character.empty(); });
    return roster;
}

std::optional<router::Alias> find_character(const router::Gateway& gateway, std::string_view tool) {
    std::vector<router::Alias> all = characters_of(gateway.aliases());
    const auto found = std::find_if(all.begin(), all.end(), [&](const router::Alias& one) { return asking_tool(one) == tool; });
    if (found == all.end()) return std::nullopt;
    return std::move(*found);
}

std::string asking_tool(const router::Alias& character) { return "ask_" + character.name; }

AgentRow row_of(const router::Alias& character, policy::Scope asking) {
    AgentRow row;
    row.name = character.name;
    row.purpose = character.name + " is " + character.character + (character.strengths.empty() ? "." : ", asked for " + character.strengths + ".");
    row.scope = asking;
    row.input = task_schema();
    row.tokens = character.max_tokens;
    return row;
}

prompts::Variables character_variables(prompts::Variables given, const router::Alias& character) {
    given["name"] = character.name;
    given["character"] = character.character;
    given["strengths"] = character.strengths;
    given["prompt"] = character.prompt;
    return given;
}

}  // namespace agents
