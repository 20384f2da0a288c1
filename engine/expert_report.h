// A cache of experts as people and programs are told of it.
#pragma once

#include <string>

#include "base/json.h"
#include "engine/expert_options.h"

namespace engine {

// "96 of 768 experts in memory; 62 % of choices will be found there, if all are chosen alike; 14.2 tokens/s"
std::string summary(const ExpertForecast& forecast, const ExpertPlan& plan);
base::Json to_json(const ExpertForecast& forecast, const ExpertPlan& plan);
base::Json to_json(const ExpertReport& report, const ExpertPlan& plan);  // beside it what was measured

}  // namespace engine
