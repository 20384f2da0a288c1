// What is remembered: which facts, where they are from, what a question would bring back, and forgetting.
#include "base/trim.h"
#include "memory/recall.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/id_json.h"
#include "server/api/memory_shapes.h"
#include "server/api/page.h"
#include "server/api/request_fields.h"
#include "store/memory_health.h"

namespace server::api {
namespace {

using base::Json;

constexpr std::size_t kMostFactBytes = 2000;
constexpr int kMostRecalled = 10;  // of each kind
constexpr std::size_t kQuestionBytes = 4000;

Response no_such_fact() { return error_response(404, "there is no such fact", "not_found"); }

Json fact_json(const store::FactRecord& one, const policy::Principal& who) {
    const store::Fact& fact = one.fact;
    const bool own = one.audience.value == who.person.value;
    return {{"id", fact.id.text()}, {"object", "fact"}, {"text", fact.body}, {"about", one.subject.empty() ? Json(nullptr) : Json(one.subject)}, {"trusted", fact.trusted}, {"noted", fact.noted}, {"document", fact.document.empty() ? Json(nullptr) : Json(fact.document)},
            {"of", own ? "person" : "group"}, {"run_id", id_json(fact.source)}, {"seen", one.seen}, {"told", base::rfc3339(fact.created)}, {"last_seen", base::rfc3339(one.last_seen)},
            {"from", base::rfc3339(one.from)}, {"until", fact.until ? Json(base::rfc3339(*fact.until)) : Json(nullptr)}, {"replaced_by", id_json(one.replaced_by)}};
}

template <class Recalled>
Json recalled_json(const char* kind, const Recalled& one, const std::string& text, bool trusted) {
    Json out = memory::source_of(one);
    out.update({{"object", "recalled"}, {"kind", kind}, {"text", text}, {"score", one.score}, {"trusted", trusted}});
    return out;
}

Json sighting_json(const store::Sighting& one) {
    return {{"id", one.id.text()}, {"run_id", id_json(one.run)}, {"segment", id_json(one.segment)}, {"section", id_json(one.section)}, {"document", one.document}, {"call", one.call}, {"quote", one.quote}, {"trusted", one.trusted}, {"at", base::rfc3339(one.at)}};
}

Json record_json(const store::FactRecord& one, const policy::Principal& who) {
    Json out = fact_json(one, who);
    out["sightings"] = out["replaces"] = Json::array();
    for (const auto& seen : one.sightings) out["sightings"].push_back(sighting_json(seen));
    for (const auto& older : one.replaces) out["replaces"].push_back(older.text());
    return out;
}

base::Result<std::string> new_words(const std::string& body) {
    const auto json = object_of(body);
    if (!json) return json.error();
    auto text = base::string_field(*json, "text");
    if (!text) return text;
    if (base::trimmed(*text).empty()) return base::error(base::Code::invalid_argument, "text is empty", "say what holds now; DELETE forgets");
    if (auto fits = check_text("text", *text, kMostFactBytes); !fits) return std::move(fits).error();
    return std::string(base::trimmed(*text));
}

// What the person writes holds from now on; what held of the same stays, with the time for which it did.
base::Result<store::FactRecord> say_anew(store::Tx& tx, base::FactId id, const std::string& text) {
    const auto old = store::find_fact(tx, id);
    if (!old) return base::error(base::Code::not_found, "there is no such fact");
    if (old->fact.until) return base::error(base::Code::conflict, "it was replaced before", "change the fact that holds now");
    if (old->fact.body == text) return base::error(base::Code::conflict, "it says that already");
    store::Observation told{.body = text, .trusted = true, .subject = old->subject, .instead_of = old->fact.body, .audience = old->audience};
    return *store::find_fact(tx, store::remember(tx, told));
}

}  // namespace

net::Task<Response> list_facts(Request request, Caller caller, Services& services) {
    const auto page = page_of<base::FactId>(request, "a fact's id");
    if (page.refusal) co_return *page.refusal;
    const auto all = query_flag(request, "all");
    if (!all) co_return error_response(all.error(), "all");
    const auto list = [&](store::Tx& tx) { return store::list_facts(tx, page.limit, page.before, *all); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(fact_json(one, caller.principal));
    co_return list_response(std::move(data));
}

net::Task<Response> get_fact(Request request, Caller caller, Services& services) {
    const auto id = base::FactId::parse(request.parameters["id"]);
    if (!id) co_return no_such_fact();
    const auto find = [&](store::Tx& tx) { return store::find_fact(tx, *id); };
    const auto found = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!found) co_return no_such_fact();
    co_return json_response(record_json(*found, caller.principal));
}

net::Task<Response> replace_fact(Request request, Caller caller, Services& services) {
    const auto id = base::FactId::parse(request.parameters["id"]);
    if (!id) co_return no_such_fact();
    const auto text = new_words(request.body);
    if (!text) co_return error_response(text.error(), "text");
    const auto write = [&](store::Tx& tx) { return say_anew(tx, *id, *text); };
    const auto said = co_await services.db.run(agents::identity_of(caller.principal), write);
    if (!said) co_return error_response(said.error());
    co_return json_response(record_json(*said, caller.principal), 201);
}

net::Task<Response> recall_facts(Request request, Caller caller, Services& services) {
    const std::string question = request.query_value("question");
    if (question.empty() || question.size() > kQuestionBytes)
        co_return error_response(400, "question has " + std::to_string(question.size()) + " bytes, 1 to " + std::to_string(kQuestionBytes) + " expected", "invalid_argument", "question");
    memory::PersonIndexes& indexes = services.agents.memory();
    const store::Identity who = agents::identity_of(caller.principal);
    const auto meaning = co_await indexes.meaning_of(question, who, request.gone);
    const memory::Asked asked(question, meaning);
    const auto recall = [&](store::Tx& tx) {
        const base::TimePoint now = services.clock.now();
        Json data = Json::array();
        for (const auto& one : indexes.recall(tx, asked, now, kMostRecalled)) data.push_back(recalled_json("fact", one, one.fact.body, one.fact.trusted));
        for (const auto& one : indexes.recall_episodes(tx, question, now, kMostRecalled)) data.push_back(recalled_json("episode", one, one.episode.summary, one.episode.trusted));
        for (const auto& one : indexes.recall_said(tx, asked, now, kMostRecalled, {})) data.push_back(recalled_json("segment", one, memory::told(one), one.segment.trusted));
        for (const auto& one : indexes.recall_sections(tx, question, now, kMostRecalled)) data.push_back(recalled_json("section", one, one.section.body, false));
        return data;
    };
    co_return list_response(co_await services.db.read(who, recall));
}

net::Task<Response> memory_health(Request, Caller caller, Services& services) {
    const auto read = [](store::Tx& tx) { return store::memory_health(tx); };
    const store::MemoryHealth now = co_await services.db.read(agents::identity_of(caller.principal), read);
    const bool summed = now.last_episode != base::TimePoint{};
    const Json facts = {{"held", now.facts}, {"replaced", now.replaced}, {"told_again", now.told_again}, {"from_texts", now.from_texts}, {"of_groups", now.of_groups}};
    co_return json_response({{"object", "memory.health"},
                             {"facts", facts},
                             {"segments", {{"all", now.segments}, {"unsummed", now.unsummed}}},
                             {"episodes", {{"all", now.episodes}, {"until", summed ? Json(base::rfc3339(now.last_episode)) : Json(nullptr)}}},
                             {"documents", {{"all", now.documents}, {"open", now.open_documents}, {"sections", now.sections}, {"unread", now.unread_sections}}},
                             {"archive", {{"held", now.archived}, {"open", now.unarchived}}}});
}

net::Task<Response> consolidate_memory(Request request, Caller caller, Services& services) {
    const auto seconds = request.query_number("seconds", 60, 1, 3600);
    if (!seconds) co_return error_response(seconds.error(), "seconds");
    const base::StopSource timed(request.gone, std::chrono::steady_clock::now() + std::chrono::seconds(*seconds));
    const agents::Consolidated done = co_await services.agents.consolidate(agents::identity_of(caller.principal), timed.token());
    const Json error = done.trouble.message.empty() ? Json(nullptr) : Json(done.trouble.message);
    co_return json_response({{"object", "consolidation"}, {"episodes", done.episodes}, {"segments", done.segments}, {"facts", done.facts}, {"read", done.read}, {"sections", done.sections}, {"vectors", done.vectors}, {"done", done.done}, {"error", error}});
}

net::Task<Response> forget_fact(Request request, Caller caller, Services& services) {
    const auto preview = query_flag(request, "preview");
    if (!preview) co_return error_response(preview.error(), "preview");
    const auto id = base::FactId::parse(request.parameters["id"]);
    if (!id) co_return no_such_fact();
    const std::vector<base::FactId> ids = {*id};
    std::vector<base::PersonId> others;
    const auto forget = [&](store::Tx& tx) {
        others.clear();
        return store::forget_facts(tx, ids, !*preview, &others);
    };
    const auto gone = co_await services.db.run(agents::identity_of(caller.principal), forget);
    if (gone.empty()) co_return no_such_fact();
    if (!*preview) co_await forget_copies(caller, services, std::move(others));
    co_return forgotten_response(id->text(), *preview, gone);
}

}  // namespace server::api
