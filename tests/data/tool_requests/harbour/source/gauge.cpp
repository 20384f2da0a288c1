#include "gauge.h"

double Gauge::read_level() const {
    // FIXME: the sensor of station 4 drifts
    return 12.5 * station_;
}
