// Quantiles that limits are made of, and what is made of them.
#pragma once

namespace router::math {

double normal_quantile(double p);
double chi_squared_quantile(double p, double degrees);
double chi_squared_above(double x, double degrees);  // P(X > x)
double f_quantile(double p, double numerator, double denominator);

// Limit of a future observation's D² when mean and covariance of `components` scores were estimated from n curves
// (Hotelling; Tracy, Young and Mason 1992): K(n+1)(n-1)/(n(n-K)) · F_{1-alpha; K, n-K}. Infinite where n <= K.
double hotelling_limit(int components, int n, double alpha);

// The level of each of `tests` independent tests whose union has level alpha (Šidák 1967).
double sidak(double alpha, int tests);

// Where the true share lies with 95 % confidence, of which `share` was seen among so many (Wilson 1927).
struct Interval {
    double low = 0, high = 1;
};
Interval share_interval(double share, int of);

}  // namespace router::math
