// What the caller has agents do at a time; see agents/scheduler.h for who sees to it.
#include <algorithm>

#include "agents/schedule_orders.h"
#include "server/api/agent_answer.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/request_fields.h"
#include "server/failure.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

constexpr const char* kFields[] = {"when", "prompt", "zone", "agent", "missed", "silent", "channel"};
constexpr int kMostFires = 50, kMostComingDays = 62;
constexpr std::size_t kMostComing = 100;  // of one in a day: what comes each minute is told for a while

struct Wish {
    agents::ScheduleOrder order;
    std::string channel;
    std::vector<std::string> ignored;
};

base::Result<void> read_texts(const Json& body, Wish& out, std::string& param) {
    const std::pair<const char*, std::string*> texts[] = {{"when", &out.order.when}, {"prompt", &out.order.prompt}, {"zone", &out.order.zone}, {"agent", &out.order.agent}, {"channel", &out.channel}};
    for (const auto& [field, into] : texts) {
        param = field;
        auto text = base::optional_string(body, field);
        if (!text) return std::move(text).error();
        if (*text && (*text)->find('\0') != std::string::npos) return base::error(Code::invalid_argument, std::string(field) + " holds a NUL, which no schedule does");
        if (*text) *into = **std::move(text);
        else if (into->empty() && (into == &out.order.when || into == &out.order.prompt)) return base::error(Code::invalid_argument, std::string(field) + " is missing");
    }
    return {};
}

base::Result<Wish> read_wish(const std::string& text, std::string& param) {
    const auto body = object_of(text);
    if (!body) return body.error();
    Wish out;
    if (auto texts = read_texts(*body, out, param); !texts) return std::move(texts).error();
    param = "missed";
    auto missed = base::optional_string(*body, "missed");
    if (!missed) return std::move(missed).error();
    if (*missed) {
        const auto known = store::parse_missed(**missed);
        if (!known) return base::error(Code::invalid_argument, "missed is '" + **missed + "' but must be skip, once or all");
        out.order.missed = *known;
    }
    param = "silent";
    const auto silent = body->find("silent");
    if (silent != body->end() && !silent->is_null()) {
        if (!silent->is_boolean()) return base::error(Code::invalid_argument, "silent must be true or false");
        out.order.silent = silent->get<bool>();
    }
    param.clear();
    out.ignored = fields_beside(kFields, *body);
    return out;
}

net::Task<Response> change(Request request, Caller caller, Services& services, agents::ScheduleChange wanted) {
    const std::string id = request.parameters["id"];
    const base::TimePoint now = services.clock.now();
    const auto work = [&](store::Tx& tx) { return agents::change_schedule(tx, id, wanted, now); };
    const auto changed = co_await services.db.run(agents::identity_of(caller.principal), work);
    if (!changed) co_return error_response(changed.error());
    co_return json_response(agents::to_json(*changed));
}

}  // namespace

net::Task<Response> list_schedules(Request, Caller caller, Services& services) {
    const auto list = [](store::Tx& tx) { return store::list_schedules(tx, false); };
    const auto found = co_await services.db.read(agents::identity_of(caller.principal), list);
    Json data = Json::array();
    for (const auto& one : found) data.push_back(agents::to_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> coming_schedules(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 7, 1, kMostComingDays);
    if (!days) co_return error_response(days.error(), "days");
    const auto list = [](store::Tx& tx) { return store::list_schedules(tx, false); };
    const base::TimePoint until = services.clock.now() + std::chrono::days(*days);
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) {
        const auto coming = agents::coming_of(one, until, kMostComing);
        if (!coming) co_return error_response(coming.error());
        for (const base::TimePoint at : *coming) data.push_back({{"schedule", one.id.text()}, {"object", "coming"}, {"at", base::rfc3339(at)}, {"prompt", one.prompt}});
    }
    std::stable_sort(data.begin(), data.end(), [](const Json& a, const Json& b) { return a["at"] < b["at"]; });
    co_return list_response(std::move(data));
}

net::Task<Response> add_schedule(Request request, Caller caller, Services& services) {
    std::string param;
    const auto wish = read_wish(request.body, param);
    if (!wish) co_return error_response(wish.error(), param);
    if (auto refused = refused_agent(wish->order.agent, "agent", caller, services)) co_return *std::move(refused);
    agents::ScheduleOrder order = wish->order;
    if (order.zone.empty()) order.zone = co_await services.db.read(agents::identity_of(caller.principal), store::household_zone);
    auto made = agents::schedule_of(order, services.clock.now());
    if (!made) co_return error_response(400, made.error().text(), "invalid_argument", made.error().code == Code::not_found ? "zone" : "when");
    if (const auto* const question = std::get_if<agents::Question>(&*made)) co_return error_response(400, question->all(), "ambiguous", "when");
    const auto keep = [&](store::Tx& tx) { return agents::keep_schedule(tx, std::get<store::Schedule>(*made), wish->channel); };
    const auto kept = co_await services.db.run(agents::identity_of(caller.principal), keep);
    if (!kept && kept.error().code == Code::not_found) co_return error_response(400, kept.error().text(), "invalid_argument", "channel");
    if (!kept) co_return error_response(kept.error());
    Json body = agents::to_json(kept->schedule);
    body["merged"] = kept->merged;
    Response response = json_response(std::move(body), 201);
    name_ignored(response, wish->ignored);
    co_return response;
}

net::Task<Response> get_schedule(Request request, Caller caller, Services& services) {
    const std::string id = request.parameters["id"];
    const auto read = [&](store::Tx& tx) -> base::Result<Json> {
        const auto found = store::find_schedule(tx, id);
        if (!found) return found.error();
        Json out = agents::to_json(*found);
        out["fires"] = Json::array();
        for (const auto& fire : store::fires_of(tx, found->id, kMostFires)) out["fires"].push_back(agents::to_json(fire));
        return out;
    };
    auto found = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!found) co_return error_response(found.error());
    co_return json_response(*std::move(found));
}

net::Task<Response> run_schedule(Request request, Caller caller, Services& services) { return change(std::move(request), std::move(caller), services, agents::ScheduleChange::run); }
net::Task<Response> pause_schedule(Request request, Caller caller, Services& services) { return change(std::move(request), std::move(caller), services, agents::ScheduleChange::pause); }
net::Task<Response> resume_schedule(Request request, Caller caller, Services& services) { return change(std::move(request), std::move(caller), services, agents::ScheduleChange::resume); }
net::Task<Response> end_schedule(Request request, Caller caller, Services& services) { return change(std::move(request), std::move(caller), services, agents::ScheduleChange::end); }

}  // namespace server::api
