// The pipeline's nodes over days: what was measured of each, and what nights found of it.
#include <map>

#include "agents/nightly.h"
#include "server/api/handlers.h"

namespace server::api {
namespace {

using base::Json;

constexpr int kMostDays = 366;

struct NodeDays {
    Json measured = Json::array(), judged = Json::array();
};

Json measured_json(const store::DailyRow& row) {
    return {{"day", store::day_text(row.date)}, {"samples", row.sample_count}, {"mean_ms", row.avg_latency_ms}, {"error_rate", row.error_rate}};
}

Json judged_json(store::Day day, const store::NodeNightRow& node) {
    return {{"day", store::day_text(day)}, {"drift_score", node.drift_score}, {"level", node.level}, {"spread", node.spread}, {"errors", node.errors}, {"weight", node.weight}, {"acting", node.acting}};
}

}  // namespace

net::Task<Response> mathcore_days(Request request, Caller caller, Services& services) {
    const auto days = request.query_number("days", 30, 1, kMostDays);
    if (!days) co_return error_response(days.error(), "days");
    const store::Day until = services.nightly->today(), from = until - std::chrono::days(*days - 1);
    Json nights = Json::array(), nodes = Json::array();
    std::map<std::string, NodeDays> by_node;
    const auto read = [&](store::Tx& tx) {
        for (const auto& row : store::list_daily(tx, from, until)) by_node[row.node].measured.push_back(measured_json(row));
        for (const auto& night : store::list_nights(tx, from, until)) {
            nights.push_back({{"day", store::day_text(night.day)}, {"regime", night.regime}, {"lambda_max", night.lambda_max}, {"alpha", night.alpha}});
            for (const auto& node : night.nodes) by_node[node.node].judged.push_back(judged_json(night.day, node));
        }
    };
    co_await services.db.read(agents::identity_of(caller.principal), read);
    for (auto& [name, known] : by_node) nodes.push_back({{"node", name}, {"measured", std::move(known.measured)}, {"judged", std::move(known.judged)}});
    co_return json_response({{"object", "mathcore.days"}, {"from", store::day_text(from)}, {"until", store::day_text(until)}, {"nights", std::move(nights)}, {"nodes", std::move(nodes)}});
}

}  // namespace server::api
