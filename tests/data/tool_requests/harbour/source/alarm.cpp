#include "gauge.h"

constexpr int kStormLimit = 620;

bool storm(const Gauge& gauge) { return gauge.read_level() > kStormLimit; }

int main() { return storm(Gauge(1)) ? 1 : 0; }
