#include "engine/measure.h"

#include <algorithm>

namespace engine {

double Rates::operations(Arithmetic arithmetic) const {
    switch (arithmetic) {
        case Arithmetic::int8: return int8;
        case Arithmetic::bf16: return bf16;
        case Arithmetic::float32: return float32;
    }
    return float32;
}

double bound(const OpCost& cost, const Rates& rates) {
    const double arithmetic = rates.operations(cost.arithmetic);
    return std::max(rates.read > 0 ? cost.bytes / rates.read : 0, arithmetic > 0 ? cost.operations / arithmetic : 0);
}

double StepTimes::bound() const {
    double sum = 0;
    for (const OpTime& op : ops) sum += engine::bound(op.cost, rates) * op.calls;
    return steps > 0 ? sum / steps : 0;
}

}  // namespace engine
