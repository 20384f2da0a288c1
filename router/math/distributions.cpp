#include "router/math/distributions.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

namespace router::math {

namespace bm = boost::math;

double normal_quantile(double p) { return bm::quantile(bm::normal(), p); }
double chi_squared_quantile(double p, double degrees) { return bm::quantile(bm::chi_squared(degrees), p); }
double chi_squared_above(double x, double degrees) { return bm::cdf(bm::complement(bm::chi_squared(degrees), x)); }
double f_quantile(double p, double numerator, double denominator) { return bm::quantile(bm::fisher_f(numerator, denominator), p); }

double hotelling_limit(int components, int n, double alpha) {
    if (n <= components || components < 1) return std::numeric_limits<double>::infinity();
    const double k = components, m = n;
    return k * (m + 1) * (m - 1) / (m * (m - k)) * f_quantile(1 - alpha, k, m - k);
}

double sidak(double alpha, int tests) { return -std::expm1(std::log1p(-alpha) / (tests > 1 ? tests : 1)); }

Interval share_interval(double share, int of) {
    if (of <= 0) return {};
    const double z = normal_quantile(0.975), each = z * z / of, half = z * std::sqrt(share * (1 - share) / of + each / of / 4), middle = share + each / 2;
    return {std::max(0.0, (middle - half) / (1 + each)), std::min(1.0, (middle + half) / (1 + each))};
}

}  // namespace router::math
