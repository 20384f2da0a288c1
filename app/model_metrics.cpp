#include "app/model_metrics.h"

#include <algorithm>

namespace app {

void set_model_metrics(base::Metrics& metrics, const router::Gateway& gateway) {
    for (const auto& [id, backend] : gateway.backends()) {
        const base::Json& facts = backend.status.facts;
        const base::Labels labels = {{"backend", id}};
        for (const char* fact : {"running", "waiting", "kv_tokens", "kv_used_tokens", "memory_stops", "heat_pauses", "kv_disk_failures"})
            if (const auto one = facts.find(fact); one != facts.end() && one->is_number()) metrics.set("hearth_model_" + std::string(fact), one->get<double>(), labels);
        if (const auto targets = facts.find("targets"); targets != facts.end() && targets->is_array())
            metrics.set("hearth_model_plain_operations", double(std::ranges::count_if(*targets, [](const base::Json& one) { return one.value("target", "") == "ref"; })), labels);
    }
}

}  // namespace app
