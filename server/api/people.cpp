// Who there is, how each is answered, and who writes from elsewhere.
#include <algorithm>
#include <array>

#include "base/language.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/request_fields.h"
#include "server/bridges/pairing.h"
#include "store/outbox_rules.h"
#include "store/people.h"
#include "store/senders.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

constexpr std::array<std::string_view, 2> kReplies = {"full", "plain"}, kRolesTaken = {"member", "guest"};
constexpr std::array<std::string_view, 3> kEfforts = {"auto", "normal", "heavy"};
constexpr std::size_t kLongest = 1000;  // bytes of a name or a tone; the store says how long each may be

Json person_json(const store::Person& one) {
    return {{"id", one.id.text()}, {"object", "person"}, {"name", one.name}, {"role", one.role}, {"replies", one.plain ? "plain" : "full"}, {"effort", one.effort}, {"tone", one.tone}, {"language", one.language}};
}

// With the hours that are quiet for them, as far as whoever asks may know.
Json people_json(store::Tx& tx) {
    const auto quiet = store::quiet_hours(tx);
    Json out = Json::array();
    for (const auto& one : store::list_people(tx)) {
        out.push_back(person_json(one));
        const auto hours = quiet.find(one.id);
        out.back()["quiet"] = hours == quiet.end() ? Json(nullptr) : Json{{"hours", store::hours_text(hours->second)}, {"zone", hours->second.zone}};
    }
    return out;
}

Json known_json(const store::KnownSender& one) {
    return {{"bridge", one.bridge}, {"sender", one.id}, {"label", one.label}, {"person", one.person.name}, {"person_id", one.person.id.text()}};
}

// One of a few words; nothing where the field is absent.
base::Result<std::optional<std::string>> word(const Json& body, const char* field, const auto& words) {
    auto text = base::optional_string(body, field);
    if (!text || !*text || std::find(words.begin(), words.end(), **text) != words.end()) return text;
    std::string all;
    for (const auto one : words) all += (all.empty() ? "" : ", ") + std::string(one);
    return base::error(Code::invalid_argument, std::string(field) + " is '" + **text + "' but must be one of " + all);
}

base::Result<store::PersonChange> read_change(const Json& body, std::string& param) {
    store::PersonChange out;
    param = "replies";
    const auto replies = word(body, "replies", kReplies);
    if (!replies) return replies.error();
    if (*replies) out.plain = **replies == "plain";
    param = "effort";
    auto effort = word(body, "effort", kEfforts);
    if (!effort) return std::move(effort).error();
    out.effort = *std::move(effort);
    param = "language";
    auto language = word(body, "language", base::language_choices());
    if (!language) return std::move(language).error();
    out.language = *std::move(language);
    param = "tone";
    auto tone = base::optional_string(body, "tone");
    if (!tone) return std::move(tone).error();
    if (*tone)
        if (auto fine = check_text("tone", **tone, kLongest); !fine) return std::move(fine).error();
    out.tone = *std::move(tone);
    return out;
}

}  // namespace

net::Task<Response> list_people(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return people_json(tx); };
    Json data = co_await services.db.read(agents::identity_of(caller.principal), list);
    co_return list_response(std::move(data));
}

net::Task<Response> add_person(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto name = base::string_field(*body, "name");
    if (!name) co_return error_response(name.error(), "name");
    if (const auto fine = check_text("name", *name, kLongest); !fine) co_return error_response(fine.error(), "name");
    const auto role = word(*body, "role", kRolesTaken);
    if (!role) co_return error_response(role.error(), "role");
    auto add = [&](store::Tx& tx) { return store::add_person(tx, *name, role->value_or("member")); };
    const auto added = co_await services.db.run(agents::identity_of(caller.principal), add);
    if (!added) co_return error_response(added.error(), "name");
    co_return json_response(person_json(*added), 201);
}

net::Task<Response> change_person(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    std::string param;
    const auto change = read_change(*body, param);
    if (!change) co_return error_response(change.error(), param);
    const auto id = base::PersonId::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is no such person", "not_found");
    auto work = [&](store::Tx& tx) { return store::change_person(tx, id->text(), *change); };
    const auto changed = co_await services.db.run(agents::identity_of(caller.principal), work);
    // Others' settings are as if they were not there.
    if (!changed && changed.error().code != Code::invalid_argument) co_return error_response(404, "there is no such person whom you may change", "not_found");
    if (!changed) co_return error_response(changed.error(), "tone");
    co_return json_response(person_json(*changed));
}

net::Task<Response> list_pairings(Request, Caller caller, Services& services) {
    Json waiting = Json::array(), known = Json::array();
    auto read = [&](store::Tx& tx) {
        for (const auto& one : store::open_pairings(tx))
            waiting.push_back({{"bridge", one.sender.bridge}, {"sender", one.sender.id}, {"label", one.sender.label}, {"expires", base::rfc3339(one.expires)}});
        for (const auto& one : store::known_senders(tx))
            known.push_back(known_json(one));
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return json_response({{"object", "pairings"}, {"waiting", std::move(waiting)}, {"known", std::move(known)}});
}

net::Task<Response> approve_pairing(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto code = base::string_field(*body, "code"), person = base::string_field(*body, "person");
    if (!code) co_return error_response(code.error(), "code");
    if (!person) co_return error_response(person.error(), "person");
    for (const auto* text : {&*code, &*person})
        if (const auto fine = check_text(text == &*code ? "code" : "person", *text, kLongest); !fine) co_return error_response(fine.error());
    auto approve = [&](store::Tx& tx) { return bridges::pair(tx, *code, *person); };
    const auto known = co_await services.db.run(agents::identity_of(caller.principal), approve);
    if (!known) co_return error_response(known.error());
    co_return json_response(known_json(*known));
}

}  // namespace server::api
