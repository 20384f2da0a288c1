#include "agents/turn.h"

#include "agents/journal.h"

namespace agents {
namespace {

using base::Json;

constexpr Phase kAll[] = {Phase::arbiter,  Phase::intake,    Phase::retrieve,     Phase::copilot,
                          Phase::thinking, Phase::recompose, Phase::write_memory, Phase::done};

}  // namespace

std::optional<router::ExecutionClass> parse_class(std::string_view text) {
    using router::ExecutionClass;
    for (ExecutionClass one : {ExecutionClass::fast, ExecutionClass::normal, ExecutionClass::heavy})
        if (text == router::name(one)) return one;
    return std::nullopt;
}

std::string_view name(Phase phase) {
    switch (phase) {
        case Phase::arbiter: return "arbiter";
        case Phase::intake: return "intake";
        case Phase::retrieve: return "retrieve";
        case Phase::copilot: return "copilot";
        case Phase::thinking: return "thinking";
        case Phase::recompose: return "recompose";
        case Phase::write_memory: return "write_memory";
        case Phase::done: return "done";
    }
    return "done";
}

std::optional<Phase> parse_phase(std::string_view text) {
    for (Phase phase : kAll)
        if (text == name(phase)) return phase;
    return std::nullopt;
}

namespace {

constexpr reply::Deed::End kEnds[] = {reply::Deed::End::done, reply::Deed::End::failed, reply::Deed::End::unknown};
constexpr const char* kEndNames[] = {"done", "failed", "unknown"};

Json to_json(const std::vector<reply::Deed>& deeds) {
    Json out = Json::array();
    for (const auto& deed : deeds) out.push_back({{"tool", deed.tool}, {"arguments", deed.arguments}, {"pure", deed.pure}, {"end", kEndNames[int(deed.end)]}});
    return out;
}

std::vector<reply::Deed> deeds_from_json(const Json& json) {
    std::vector<reply::Deed> out;
    for (const Json& one : json) {
        out.push_back({one.value("tool", ""), one.value("arguments", ""), one.value("pure", true)});
        for (const auto end : kEnds)
            if (one.value("end", "") == kEndNames[int(end)]) out.back().end = end;
    }
    return out;
}

Json to_json(const std::vector<CheckedClaim>& claims) {
    Json out = Json::array();
    for (const auto& claim : claims) out.push_back({{"sentence", claim.sentence}, {"action", claim.action}, {"outcome", claim.outcome}});
    return out;
}

Json to_json(const std::vector<ClassChange>& changes) {
    Json out = Json::array();
    for (const auto& change : changes) out.push_back(agents::to_json(change));
    return out;
}

}  // namespace

Json sums_to_json(const Sums& sums) {
    return {{"usage", usage_to_json(sums.usage)}, {"model_steps", sums.model_steps}, {"calls", sums.calls}, {"tools_used", sums.tools_used},
            {"refused_calls", sums.refused_calls}, {"in_doubt", sums.in_doubt}, {"deeds", to_json(sums.deeds)}, {"model", sums.model},
            {"carved_tokens", sums.carved_tokens}, {"threads", sums.threads}};
}

Sums sums_from_json(const Json& json) {
    Sums sums;
    sums.usage = usage_from_json(json.value("usage", Json::object()));
    sums.model_steps = json.value("model_steps", 0);
    sums.calls = json.value("calls", 0);
    sums.tools_used = json.value("tools_used", 0);
    sums.refused_calls = json.value("refused_calls", 0);
    sums.carved_tokens = json.value("carved_tokens", 0);
    sums.threads = json.value("threads", 0);
    sums.in_doubt = json.value("in_doubt", std::vector<std::string>{});
    sums.deeds = deeds_from_json(json.value("deeds", Json::array()));
    sums.model = json.value("model", "");
    return sums;
}

namespace {

Json calls_to_json(const std::vector<router::ToolCall>& calls) {
    Json out = Json::array();
    for (const auto& call : calls) out.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    return out;
}

base::Result<std::vector<router::Message>> work_from_json(const Json& work) {
    std::vector<router::Message> out;
    for (std::size_t i = 0; i < work.size(); ++i) {
        auto message = router::message_from_json(base::OrderedJson(work[i]), i);
        if (!message) return std::move(message).error();
        message->trusted = work[i].value("trusted", message->role != router::MessageRole::tool);
        out.push_back(std::move(*message));
    }
    return out;
}

Json to_json(const std::optional<Errand>& errand) {
    if (!errand) return nullptr;
    return {{"kind", errand->kind == Errand::Kind::remember ? "remember" : "remind"}, {"text", errand->text}, {"when", errand->when}, {"to_do", errand->to_do}, {"language", errand->language ? Json(base::tag_of(*errand->language)) : Json()}};
}

std::optional<Errand> errand_from_json(const Json& json) {
    if (!json.is_object()) return std::nullopt;
    return Errand{json.value("kind", "") == "remember" ? Errand::Kind::remember : Errand::Kind::remind, json.value("text", ""), json.value("when", ""), json.value("to_do", false), base::parse_language(json.value("language", Json()).is_string() ? json["language"].get<std::string>() : "")};
}

}  // namespace

Json to_json(const ClassChange& change) { return {{"who", change.who}, {"class", router::name(change.to)}, {"why", change.why}}; }

void set_class(Turn& turn, const std::string& who, router::ExecutionClass to, const std::string& why) {
    if (!turn.changes.empty() && turn.execution == to) return;
    turn.execution = to;
    turn.changes.push_back({who, why, to});
}

Json to_json(const Turn& turn) {
    Json work = Json::array();
    for (const auto& message : turn.work) {
        work.push_back(Json(router::message_to_json(message)));
        if (message.trusted != (message.role != router::MessageRole::tool)) work.back()["trusted"] = message.trusted;
    }
    return {{"phase", name(turn.phase)},       {"span", turn.span.text()},        {"sums", sums_to_json(turn.sums)},
            {"request", turn.request},         {"class", router::name(turn.execution)},
            {"changes", to_json(turn.changes)}, {"confirmation", turn.confirmation}, {"claims", to_json(turn.claims)}, {"asked_language", turn.asked_language},
            {"outside", turn.outside},         {"reasons", turn.reasons},         {"depth", turn.depth},            {"goal", turn.goal},
            {"machine", turn.machine},         {"tools", turn.needs_tools},       {"facts", turn.facts},            {"best_fact", turn.best_fact},    {"sources", turn.sources},
            {"work", work},                    {"thoughts", turn.thoughts},       {"answer", turn.answer},           {"retells", turn.retells},
            {"state", turn.state},             {"error", turn.error},             {"code", base::name(turn.code)},
            {"reasoning", turn.reasoning},     {"finish", router::name(turn.finish)},
            {"errand", to_json(turn.errand)},
            {"client_calls", calls_to_json(turn.client_calls)},                   {"resumes_client", turn.resumes_client},
            {"first_step", turn.first_step},   {"told", turn.told.text()},
            {"label", policy::name(turn.label)}};
}

base::Result<Turn> turn_from_json(const Json& json) {
    Turn turn;
    try {
        const auto phase = parse_phase(json.at("phase").get<std::string>());
        if (!phase) return base::error(base::Code::corrupt, "the stored turn is at an unknown phase " + json.at("phase").dump());
        turn.phase = *phase;
        turn.span = base::SpanId::parse(json.value("span", "")).value_or(base::SpanId{});
        turn.sums = sums_from_json(json.value("sums", Json::object()));
        turn.request = json.value("request", "");
        turn.resumes_client = json.value("resumes_client", false);
        turn.first_step = json.value("first_step", 0);
        turn.told = store::EventId::parse(json.value("told", "")).value_or(store::EventId{});
        turn.execution = parse_class(json.value("class", "")).value_or(router::ExecutionClass::normal);
        turn.reasons = json.value("reasons", std::vector<std::string>{});
        turn.depth = json.value("depth", Json());
        for (const Json& change : json.value("changes", Json::array()))
            turn.changes.push_back({change.value("who", ""), change.value("why", ""), parse_class(change.value("class", "")).value_or(router::ExecutionClass::normal)});
        for (const Json& claim : json.value("claims", Json::array()))
            turn.claims.push_back({claim.value("sentence", ""), claim.value("action", ""), claim.value("outcome", "")});
        turn.confirmation = json.value("confirmation", "");
        turn.asked_language = json.value("asked_language", false);
        turn.outside = json.value("outside", false);
        turn.label = policy::parse_integrity(json.value("label", ""));
        turn.goal = json.value("goal", "");
        turn.machine = json.value("machine", "talk");
        turn.needs_tools = json.value("tools", false);
        turn.errand = errand_from_json(json.value("errand", Json()));
        turn.facts = json.value("facts", std::vector<std::string>{});
        turn.best_fact = json.value("best_fact", -1);
        turn.sources = json.value("sources", Json::array());
        turn.thoughts = json.value("thoughts", "");
        turn.answer = json.value("answer", "");
        turn.retells = json.value("retells", false);
        turn.state = json.value("state", "answered");
        turn.error = json.value("error", "");
        turn.code = parse_code(json.value("code", ""));
        turn.reasoning = json.value("reasoning", "");
        turn.finish = parse_finish(json.value("finish", ""));
        for (const Json& call : json.value("client_calls", Json::array()))
            turn.client_calls.push_back({call.value("id", ""), call.value("name", ""), call.value("arguments", "")});
        auto work = work_from_json(json.value("work", Json::array()));
        if (!work) return std::move(work).error();
        turn.work = *std::move(work);
    } catch (const Json::exception& e) {
        return base::error(base::Code::corrupt, std::string("the stored turn cannot be read: ") + e.what());
    }
    return turn;
}

}  // namespace agents
