#include "agents/standing_orders.h"

#include "agents/characters.h"
#include "agents/frame.h"
#include "prompts/directives.h"
#include "store/digest.h"
#include "store/directives.h"
#include "store/node_days.h"

namespace agents {
namespace {

using base::Json;

// A line each.
std::string listed(const std::vector<StandingOrders::One>& directives) {
    std::string out;
    for (const auto& one : directives) out += (out.empty() ? "- " : "\n- ") + one.text;
    return out;
}

Json directives_to_json(const std::vector<StandingOrders::One>& directives) {
    Json out = Json::array();
    for (const auto& one : directives) out.push_back({{"name", one.name}, {"text", one.text}});
    return out;
}

std::vector<StandingOrders::One> directives_from_json(const Json& json) {
    std::vector<StandingOrders::One> out;
    for (const Json& one : json) out.push_back({one.at("name").get<std::string>(), one.at("text").get<std::string>()});
    return out;
}

Json names_of(const std::vector<StandingOrders::One>& directives) {
    Json out = Json::array();
    for (const auto& one : directives) out.push_back(one.name);
    return out;
}

// Tells whether two runs had the same one.
std::string digest_of(const std::string& tone) { return "sha256:" + store::sha256_hex(tone).substr(0, 16); }

}  // namespace

StandingOrders read_standing_orders(store::Tx& tx, const store::Person& person) {
    StandingOrders out;
    for (auto& one : store::directives_in_force(tx)) (one.person.is_nil() ? out.house : out.own).push_back({std::move(one.name), std::move(one.text)});
    out.tone = person.tone;
    out.signal = store::mathcore_signal(tx);
    return out;
}

Json to_json(const StandingOrders& standing) {
    return {{"house", directives_to_json(standing.house)}, {"own", directives_to_json(standing.own)}, {"tone", standing.tone}, {"mathcore", standing.signal}};
}

StandingOrders standing_orders_from_json(const Json& json) {
    return {directives_from_json(json.value("house", Json::array())), directives_from_json(json.value("own", Json::array())), json.value("tone", ""), json.value("mathcore", "")};
}

Json trace_of(const StandingOrders& standing) {
    Json prime = Json::array();
    for (const auto& one : prompts::prime_directives()) prime.push_back(one.name);
    return {{"prime", std::move(prime)}, {"house", names_of(standing.house)}, {"own", names_of(standing.own)}, {"tone", standing.tone.empty() ? "" : digest_of(standing.tone)}, {"mathcore", standing.signal}};
}

std::vector<std::string> standing_prompts() { return {"directives_house", "directives_person", "identity", "scratchpad", "tone"}; }

namespace {

// The directives, and those prompts behind them.
base::Result<std::string> behind_directives(const Frame& frame, std::vector<base::Result<std::string>> texts) {
    const auto& house = frame.standing.house;
    if (!house.empty()) texts.insert(texts.begin(), prompt(frame, "directives_house", {{"directives", listed(house)}}));
    std::string out = prompts::prime_text();
    for (auto& one : texts) {
        if (!one) return std::move(one).error();
        out += "\n" + *one;
    }
    return out;
}

}  // namespace

base::Result<std::string> system_of(const Frame& frame, const std::string& prompt_name) {
    auto system = behind_directives(frame, {prompt(frame, "identity"), prompt(frame, prompt_name, prompt_variables(frame))});
    if (system && !frame.standing.signal.empty()) *system += "\n" + frame.standing.signal;
    return system;
}

base::Result<std::string> system_of_character(const Frame& frame, const prompts::Variables& variables) {
    return behind_directives(frame, {prompt(frame, kCharacterPrompt, variables)});
}

base::Result<std::string> wishes_of(const Frame& frame) {
    std::string out;
    const auto add = [&](const char* name, const char* variable, const std::string& value) -> base::Result<void> {
        if (value.empty()) return {};
        auto text = prompt(frame, name, {{variable, value}});
        if (!text) return std::move(text).error();
        out += (out.empty() ? "" : "\n") + *text;
        return {};
    };
    if (auto added = add("scratchpad", "note", frame.at_hand.note ? frame.at_hand.note->text : ""); !added) return std::move(added).error();
    if (auto added = add("directives_person", "directives", listed(frame.standing.own)); !added) return std::move(added).error();
    if (auto added = add("tone", "tone", frame.standing.tone); !added) return std::move(added).error();
    return out;
}

}  // namespace agents
