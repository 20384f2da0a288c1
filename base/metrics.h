// Counters, gauges and histograms as an interface. Names end in their unit, as Prometheus wants
// ("hearth_request_seconds", "hearth_tokens_total").
#pragma once

#include <initializer_list>
#include <map>
#include <string>

namespace base {

using Labels = std::map<std::string, std::string>;

class Metrics {
public:
    virtual ~Metrics() = default;
    virtual void add(const std::string& counter, double amount = 1, const Labels& labels = {}) = 0;
    virtual void set(const std::string& gauge, double value, const Labels& labels = {}) = 0;
    virtual void observe(const std::string& histogram, double value, const Labels& labels = {}) = 0;
};

class NullMetrics final : public Metrics {
public:
    void add(const std::string&, double, const Labels&) override {}
    void set(const std::string&, double, const Labels&) override {}
    void observe(const std::string&, double, const Labels&) override {}
};

}  // namespace base
