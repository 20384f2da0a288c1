#include "net/metrics_registry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

namespace net {
namespace {

// Seconds, from a route's own cost to a long run's.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                          0.5,    1,     2.5,    5,     10,   30,    60,   120, 300};

}  // namespace

struct MetricsRegistry::Families {
    prometheus::Registry registry;
    std::mutex mutex;
    std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
    std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
    std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms;

    template <class Map, class Builder>
    auto& family(Map& map, const std::string& name, Builder builder) {
        std::lock_guard lock(mutex);
        auto& entry = map[name];
        if (!entry) entry = &builder().Name(name).Register(registry);
        return *entry;
    }
};

MetricsRegistry::MetricsRegistry() : families_(std::make_unique<Families>()) {}
MetricsRegistry::~MetricsRegistry() = default;

void MetricsRegistry::add(const std::string& counter, double amount, const base::Labels& labels) {
    families_->family(families_->counters, counter, prometheus::BuildCounter).Add(labels).Increment(amount);
}

void MetricsRegistry::set(const std::string& gauge, double value, const base::Labels& labels) {
    families_->family(families_->gauges, gauge, prometheus::BuildGauge).Add(labels).Set(value);
}

void MetricsRegistry::observe(const std::string& histogram, double value, const base::Labels& labels) {
    families_->family(families_->histograms, histogram, prometheus::BuildHistogram).Add(labels, kSeconds).Observe(value);
}

std::string MetricsRegistry::text() const { return prometheus::TextSerializer().Serialize(families_->registry.Collect()); }

}  // namespace net
