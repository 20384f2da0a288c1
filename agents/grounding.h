// What is true of the system itself, for prompts that ask about it: which model answers, what is behind it and how that is.
// It stands behind the request, where it costs the cached prefix nothing.
#pragma once

#include <string>
#include <string_view>

namespace router {
class Gateway;
}

namespace agents {

// Whether the request is about the system: its model, its parts, how they are.
bool asks_about_the_system(std::string_view request);

// A line each of aliases and backends, then `surroundings` (Parts::surroundings). Nothing that a server elsewhere said is in it.
std::string system_facts(const router::Gateway& gateway, const std::string& alias, const std::string& surroundings);

}  // namespace agents
