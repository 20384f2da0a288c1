// How much of the processors went to others during a measurement.
#pragma once

namespace app {

class ForeignLoad {
public:
    ForeignLoad();
    // CPU cores, on average since then, that neither this process nor those that it ran and waited for had; below 0: the
    // system does not say.
    double cores() const;

private:
    double began_, busy_, own_;
};

// More than that, and a run is void.
constexpr double kMostForeign = 0.1;

}  // namespace app
