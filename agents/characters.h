// The roster's characters as somebody to ask: an agent whose row says `asks: [characters]` sees each as a tool, by its name.
// A row that is added to the roster is one more, without a restart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/cast.h"
#include "prompts/render.h"
#include "router/roster.h"

namespace router {
class Gateway;
}

namespace agents {

// In a row's `asks`: whoever of the roster has a character.
inline constexpr std::string_view kCharacters = "characters";
// The prompt of every character, which the roster's row fills.
inline constexpr const char* kCharacterPrompt = "character";

bool asks_characters(const AgentRow& row);
std::vector<router::Alias> characters_of(std::vector<router::Alias> roster);
std::optional<router::Alias> find_character(const router::Gateway& gateway, std::string_view tool);

std::string asking_tool(const router::Alias& character);  // ask_gandalf
// It has no tools and asks nobody.
AgentRow row_of(const router::Alias& character, policy::Scope asking);
// `given` and what the roster says of it.
prompts::Variables character_variables(prompts::Variables given, const router::Alias& character);

}  // namespace agents
