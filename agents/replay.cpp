#include "agents/replay.h"

#include <algorithm>

#include "agents/journal.h"
#include "agents/transcript.h"
#include "prompts/render.h"
#include "router/gateway.h"
#include "router/usage.h"
#include "store/runs.h"
#include "store/trace_chain.h"
#include "store/traces.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

base::Error unreadable(base::SpanId span, const std::string& what) { return base::error(Code::corrupt, "what span " + span.text() + " sent cannot be read: " + what); }

router::ToolChoice choice_of(const Json& sent) {
    using Kind = router::ToolChoice::Kind;
    router::ToolChoice choice;
    const Json value = sent.value("tool_choice", Json("auto"));
    if (value.is_object()) choice = {Kind::named, value.at("function").at("name").get<std::string>()};
    else if (value == "none") choice.kind = Kind::none;
    else if (value == "required") choice.kind = Kind::required;
    choice.most = sent.value("most_calls", 0);
    return choice;
}

// A schema is kept as text, for the order of its keys.
base::Result<base::OrderedJson> schema_of(const Json& kept) { return base::parse_ordered_json(kept.get<std::string>()); }

// A call names the tools that an earlier one of the run has shown with their schemas.
base::Result<router::ToolMenu> menu_of(const Json& listed, const router::ToolMenu& shown) {
    std::vector<router::ToolSchema> out;
    for (const Json& one : listed) {
        if (one.is_string()) {
            const auto known = std::find_if(shown.begin(), shown.end(), [&](const auto& tool) { return tool.name == one; });
            if (known == shown.end()) return base::error(Code::corrupt, "no call before it shows the tool " + base::dump(one));
            out.push_back(*known);
            continue;
        }
        const Json& function = one.at("function");
        auto schema = schema_of(function.at("parameters"));
        if (!schema) return std::move(schema).error();
        out.push_back({function.at("name").get<std::string>(), function.value("description", ""), *std::move(schema)});
        take(function, "strict", out.back().strict);
    }
    return router::ToolMenu(std::move(out));
}

// Goes on from what the call before has sent: the messages and schemas that a body leaves out.
base::Result<void> follow(router::ModelRequest& request, const base::Span& span) {
    const Json& sent = span.body.at("sent");
    const auto kept = sent.at("messages_from").get<std::size_t>();
    if (kept > request.messages.size()) return base::error(Code::corrupt, "it goes on from " + std::to_string(kept) + " messages, and the calls before it sent " + std::to_string(request.messages.size()));
    request.messages.resize(kept);
    for (const Json& one : sent.at("messages")) {
        auto message = router::message_from_json(base::OrderedJson(one), request.messages.size());
        if (!message) return std::move(message).error();
        message->trusted = one.value("trusted", message->trusted);
        request.messages.push_back(*std::move(message));
    }
    auto menu = menu_of(sent.value("tools", Json::array()), request.tools);
    if (!menu) return std::move(menu).error();
    request.tools = *std::move(menu);
    return {};
}

base::Result<void> fill(router::ModelRequest& request, const base::Span& span) {
    const Json& sent = span.body.at("sent");
    request.alias = span.attributes.at("alias").get<std::string>();
    request.purpose = span.name;
    request.max_tokens = sent.at("max_tokens").get<int>();
    request.stop_texts = sent.value("stop", std::vector<std::string>{});
    request.enable_thinking = sent.value("thinking", true);
    request.answer_rules = sent.value("answer_rules", "");
    request.end_circles = sent.value("end_circles", false);
    request.tool_choice = choice_of(sent);
    request.sampling = sampling_from_json(sent);
    const Json bias = sent.value("logit_bias", Json::object());
    for (const auto& [token, value] : bias.items()) request.sampling.logit_bias[std::stoi(token)] = value.get<double>();
    // The one that a model drew for itself then.
    if (!request.sampling.seed && span.attributes.contains("seed")) request.sampling.seed = span.attributes["seed"].get<std::uint64_t>();
    const Json format = sent.value("response_format", Json::object());
    request.json_object = format.value("type", "") == "json_object";
    if (format.value("type", "") != "json_schema") return {};
    auto schema = schema_of(format.at("json_schema").at("schema"));
    if (!schema) return std::move(schema).error();
    request.response_schema = *std::move(schema);
    return {};
}

// What stands between a prompt's placeholders, and their names: always one text more than names.
struct Template {
    std::vector<std::string> texts, names;
};

Template template_of(std::string_view body) {
    Template out;
    for (std::size_t open = body.find("{{"); open != body.npos; open = body.find("{{")) {
        const std::size_t close = body.find("}}", open);
        if (close == body.npos) break;
        out.texts.emplace_back(body.substr(0, open));
        out.names.emplace_back(body.substr(open + 2, close - open - 2));
        body.remove_prefix(close + 2);
    }
    out.texts.emplace_back(body.substr(0, body.find_last_not_of(" \n") + 1));  // as agents::prompt gives it
    return out;
}

struct Place {
    std::size_t begin = 0, end = 0;
    prompts::Variables values;
};

// Where the filled template first stands from `from` on.
std::optional<Place> find_filled(const std::string& text, const Template& filled, std::size_t from) {
    for (std::size_t begin = text.find(filled.texts[0], from); begin != text.npos; begin = text.find(filled.texts[0], begin + 1)) {
        Place place{begin, begin + filled.texts[0].size(), {}};
        bool whole = true;
        for (std::size_t i = 0; i < filled.names.size() && whole; ++i) {
            const std::string& next = filled.texts[i + 1];
            const std::size_t at = i + 1 == filled.names.size() && next.empty() ? text.size() : text.find(next, place.end);
            whole = at != text.npos;
            if (!whole) break;
            place.values[filled.names[i]] = text.substr(place.end, at - place.end);
            place.end = at + next.size();
        }
        if (whole) return place;
    }
    return std::nullopt;
}

base::Result<int> change_texts(std::vector<router::Message>& messages, const store::Prompt& before, const store::Prompt& after) {
    const Template was = template_of(before.body);
    if (was.texts.size() == 1 && was.texts[0].empty()) return 0;
    int places = 0;
    for (auto& message : messages) {
        if (message.role != router::MessageRole::system && message.role != router::MessageRole::user) continue;
        std::string text = message.text();
        std::size_t from = 0;
        int here = 0;
        while (const auto place = find_filled(text, was, from)) {
            auto filled = prompts::render(after.body, place->values);
            if (!filled) return base::error(Code::invalid_argument, "prompt " + after.name + ": " + filled.error().message);
            filled->resize(filled->find_last_not_of(" \n") + 1);
            text.replace(place->begin, place->end - place->begin, *filled);
            from = place->begin + std::max<std::size_t>(filled->size(), 1);
            ++here;
            if (from > text.size()) break;
        }
        if (here > 0) message.parts = {{router::Part::Kind::text, std::move(text), {}, {}}};
        places += here;
    }
    return places;
}

bool same_message(const router::Message& a, const router::Message& b) { return router::message_to_json(a) == router::message_to_json(b); }

base::Result<std::vector<router::Message>> turns_of(const store::Prompt& prompt) {
    auto turns = prompts::examples(prompt.body);
    if (!turns) return std::move(turns).error();
    return messages_of(*turns);
}

base::Result<int> change_examples(std::vector<router::Message>& messages, const store::Prompt& before, const store::Prompt& after) {
    auto was = turns_of(before), now = turns_of(after);
    for (const auto* turns : {&was, &now})
        if (!*turns) return base::error(Code::invalid_argument, "prompt " + after.name + ": " + turns->error().message);
    for (auto& message : *now) message.trusted = true;  // ours
    const auto at = was->empty() ? messages.end() : std::search(messages.begin(), messages.end(), was->begin(), was->end(), same_message);
    if (at == messages.end()) return 0;
    const auto gap = messages.erase(at, at + std::ptrdiff_t(was->size()));
    messages.insert(gap, now->begin(), now->end());
    return 1;
}

struct Read {
    store::Trace trace;
    std::optional<store::Prompt> before, after;
};

base::Result<store::Prompt> version_of(store::Tx& tx, const std::string& name, const std::string& version) {
    auto versions = store::prompt_versions(tx, name);
    if (!versions) return std::move(versions).error();
    auto chosen = store::choose_version(*versions, version);
    if (!chosen) return std::move(chosen).error();
    return std::move(chosen->prompt);
}

base::Result<Read> read(store::Tx& tx, const ReplayRequest& request) {
    if (!store::find_run(tx, request.run)) return base::error(Code::not_found, "there is no such run");
    Read out{store::read_trace(tx, request.run), {}, {}};
    if (!out.trace.chain) return out.trace.chain.error();
    if (request.prompt.empty()) return out;
    const auto root = std::find_if(out.trace.spans.begin(), out.trace.spans.end(), store::is_root);
    if (root == out.trace.spans.end()) return base::error(Code::conflict, "the run " + request.run.text() + " has not ended, and its trace does not tell yet which prompts it reads");
    const Json versions = root->attributes.value("prompts", Json::object());
    if (!versions.contains(request.prompt)) return base::error(Code::not_found, "the run reads no prompt '" + request.prompt + "'", "hearth prompt list");
    auto before = version_of(tx, request.prompt, base::dump(versions[request.prompt])), after = version_of(tx, request.prompt, request.version);
    for (auto* one : {&before, &after})
        if (!*one) return std::move(*one).error();
    out.before = *std::move(before);
    out.after = *std::move(after);
    return out;
}

// Calls but for their ids, which are given anew.
Json words_of(const Json& reply) {
    const Json message = reply.value("message", Json::object());
    Json calls = Json::array();
    for (const Json& call : message.value("tool_calls", Json::array())) calls.push_back(call.at("function"));
    return {message.value("content", Json("")), calls};
}

Json reply_of_span(const base::Span& span) {
    if (!span.error.empty()) return {{"error", span.error}};
    Json out = span.attributes;
    out["message"] = span.body.value("reply", Json::object());
    return out;
}

}  // namespace

base::Result<router::ModelRequest> recorded_request(const std::vector<base::Span>& spans, base::SpanId wanted) {
    router::ModelRequest request;
    for (const auto& span : spans) {
        if (span.kind != "model") continue;
        if (!span.body.contains("sent")) return base::error(Code::unavailable, "what the run's call " + span.id.text() + " sent has been erased", "traces.keep_days and traces.keep_mib say how long it is kept");
        try {
            if (const auto followed = follow(request, span); !followed) return unreadable(span.id, followed.error().message);
            if (span.id != wanted) continue;
            if (const auto filled = fill(request, span); !filled) return unreadable(span.id, filled.error().message);
            return request;
        } catch (const std::exception& e) {  // of nlohmann's library, or of a number
            return unreadable(span.id, e.what());
        }
    }
    return base::error(Code::not_found, "the run has no call of a model with the span " + wanted.text());
}

base::Result<int> change_prompt(std::vector<router::Message>& messages, const store::Prompt& before, const store::Prompt& after) {
    return before.name.ends_with("_examples") ? change_examples(messages, before, after) : change_texts(messages, before, after);
}

net::Task<base::Result<Replay>> replay(router::Gateway& gateway, store::Db& db, store::TraceSink& traces, const base::Clock& clock, ReplayRequest request) {
    const store::Identity who = identity_of(request.principal);
    const auto look = [&](store::Tx& tx) { return read(tx, request); };
    auto found = co_await db.read(who, look);
    if (!found) co_return std::move(found).error();
    auto again = recorded_request(found->trace.spans, request.span);
    if (!again) co_return std::move(again).error();
    const auto span = std::find_if(found->trace.spans.begin(), found->trace.spans.end(), [&](const auto& s) { return s.id == request.span; });
    Replay out;
    out.purpose = span->name;
    out.was = reply_of_span(*span);
    out.places = 1;
    if (found->before) {
        auto places = change_prompt(again->messages, *found->before, *found->after);
        if (!places) co_return std::move(places).error();
        out.places = *places;
        if (*places == 0) co_return out;
    }
    if (!request.alias.empty()) again->alias = request.alias;
    again->purpose = "replay";
    again->cache_salt = who.person.text();
    again->on_behalf = {who.tenant, who.person, {}, {}};
    again->stop = request.stop;
    const router::CallRecord record(again->on_behalf, again->alias, again->purpose, clock);
    const auto start = clock.steady();
    const auto reply = co_await gateway.generate(*again, {});
    traces.emit(record.ended(reply, base::SpanId::make(clock.now()), {}));
    out.now = outcome_of(reply);
    out.now["duration_us"] = std::chrono::duration_cast<std::chrono::microseconds>(clock.steady() - start).count();
    out.was["duration_us"] = span->duration.count();
    out.same = reply && span->error.empty() && words_of(out.was) == words_of(out.now);
    co_return out;
}

}  // namespace agents
