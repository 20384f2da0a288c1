#include "agents/grounding.h"

#include <algorithm>
#include <set>

#include "agents/reply/words.h"
#include "base/split.h"
#include "router/gateway.h"

namespace agents {
namespace {

// English, French, German.
constexpr std::string_view kAbout =
    "yourself system hearth model models backend backends server servers upstream status alias aliases port ports adapter adapters sandbox "
    "système modèle modèles serveur serveurs statut état adaptateur adaptateurs "
    "modell modelle zustand";

std::string state_of(const router::BackendState& state) {
    std::string out(router::name(state.status.state));
    if (!state.status.stage.empty()) out += " (" + state.status.stage + ")";
    if (state.circuit == router::Breaker::State::open) out += ", left alone after failures for " + std::to_string(state.seconds_left_alone) + " s";
    if (state.failure) out += ", its last call failed";
    return out;
}

}  // namespace

bool asks_about_the_system(std::string_view request) {
    static const auto parts = base::split(kAbout, ' ');
    static const std::set<std::string, std::less<>> about(parts.begin(), parts.end());
    const auto words = reply::words_of(request);
    return std::any_of(words.begin(), words.end(), [](const reply::Word& word) { return about.contains(word.text); });
}

std::string system_facts(const router::Gateway& gateway, const std::string& alias, const std::string& surroundings) {
    std::string out = "- This answer comes from the model alias " + alias + ".";
    for (const router::Alias& one : gateway.aliases()) {
        std::string chain;
        for (const std::string& id : one.chain) chain += (chain.empty() ? "" : ", then ") + id;
        out += "\n- alias " + one.name + ": " + chain;
    }
    for (const auto& [id, state] : gateway.backends()) out += "\n- backend " + id + (state.local ? ", on this machine: " : ", elsewhere: ") + state_of(state);
    if (!surroundings.empty()) out += "\n" + surroundings;
    return out;
}

}  // namespace agents
