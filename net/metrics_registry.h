// base::Metrics over prometheus-cpp, with the text that /metrics answers.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"

namespace net {

class MetricsRegistry final : public base::Metrics {
public:
    MetricsRegistry();
    ~MetricsRegistry() override;
    void add(const std::string& counter, double amount, const base::Labels& labels) override;
    void set(const std::string& gauge, double value, const base::Labels& labels) override;
    void observe(const std::string& histogram, double value, const base::Labels& labels) override;
    std::string text() const;

private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace net
