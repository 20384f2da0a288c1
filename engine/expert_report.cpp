#include "engine/expert_report.h"

#include <cstdio>

namespace engine {

std::string summary(const ExpertForecast& forecast, const ExpertPlan& plan) {
    char out[256];
    std::snprintf(out, sizeof out, "%llu of %llu experts in memory; %.0f %% of choices will be found there, %s", static_cast<unsigned long long>(plan.slots),
                  static_cast<unsigned long long>(plan.all()), forecast.hits * 100, forecast.of_traffic ? "by what was asked until now" : "if all are chosen alike");
    std::string speed = "; how fast that is the first start measures";
    if (forecast.tokens_per_second > 0) {
        char number[64];
        std::snprintf(number, sizeof number, "; %.3g tokens/s", forecast.tokens_per_second);
        speed = number;
    }
    return out + speed;
}

base::Json to_json(const ExpertForecast& forecast, const ExpertPlan& plan) {
    return {{"in_memory", plan.slots}, {"all", plan.all()}, {"bytes", plan.slots * plan.slot_bytes},
            {"predicted", {{"hit_rate", forecast.hits}, {"tokens_per_second", forecast.tokens_per_second > 0 ? base::Json(forecast.tokens_per_second) : base::Json(nullptr)}, {"by", forecast.of_traffic ? "traffic" : "chance"}}}};
}

base::Json to_json(const ExpertReport& report, const ExpertPlan& plan) {
    base::Json out = to_json(report.forecast, plan);
    const ExpertUse& use = report.use;
    out["measured"] = {{"tokens", use.tokens}, {"hit_rate", use.hits()}, {"tokens_per_second", use.tokens_per_second()}, {"bytes_read_per_token", use.bytes_per_token()}};
    return out;
}

}  // namespace engine
