// What of the person's a model can be trained on.
#include "store/interactions.h"

#include "server/api/handlers.h"
#include "server/api/page.h"

namespace server::api {
namespace {

using base::Json;

Json message(const char* role, const std::string& text) { return {{"role", role}, {"content", text}}; }

// As fine-tuning takes it, with where it is from beside it.
Json interaction_json(const store::Interaction& one) {
    const Json model = one.model.empty() ? Json(nullptr) : Json(one.model);
    return {{"messages", Json::array({message("user", one.asked), message("assistant", one.answered)})},
            {"metadata", {{"id", one.id.text()}, {"run_id", one.run.text()}, {"said", base::rfc3339(one.said)}, {"model", model}, {"verdict", "pass"}, {"why", one.why}, {"critic", one.critic}}}};
}

}  // namespace

net::Task<Response> list_interactions(Request request, Caller caller, Services& services) {
    const auto page = page_of<store::SegmentId>(request, "the id of an interaction");
    if (page.refusal) co_return *page.refusal;
    store::InteractionsAsked asked{{}, {}, page.before, page.limit};
    for (auto [field, to] : {std::pair{"since", &asked.since}, {"until", &asked.until}}) {
        const auto day = day_asked(request, field);
        if (!day) co_return error_response(day.error(), field);
        *to = *day;
    }
    const auto list = [&](store::Tx& tx) { return store::list_interactions(tx, asked); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(interaction_json(one));
    co_return list_response(std::move(data));
}

}  // namespace server::api
