// Location, scale and regression that a few wild values do not move. All sums are pairwise and in fixed order.
#pragma once

#include <span>

#include "router/math/matrix.h"

namespace router::math {

double pairwise_sum(std::span<const double> values);  // 0 of none
double mean_of(std::span<const double> values);       // NaN of none

double median(Vector values);                     // NaN of none
double median_deviation(std::span<const double> values, double centre);  // 1.4826·median |x - centre|: the standard deviation of a normal sample
// Linear between order statistics (type 7 of Hyndman and Fan 1996, what NumPy and R do unasked), 0 <= p <= 1.
double quantile(Vector values, double p);
// The same of values that are sorted already.
double sorted_quantile(std::span<const double> sorted, double p);

// Huber's M-estimate of location: the root of sum psi_c((x - m)/s) with s = 1.4826·MAD held fixed (Huber 1964).
// The median where s is 0. NaN of none.
double huber_mean(std::span<const double> values, double c = 1.5);

// Coefficients of y on the columns of x by Huber's weights (c = 1.345), the scale being the MAD of the residuals; x holds its own
// column of ones. Of columns that depend on each other the solution of least norm, so that a column of zeros gets 0. x: n × p, y: n.
Vector robust_regression(const Matrix& x, const Vector& y);

inline double winsorised(double value, double limit) { return value < -limit ? -limit : value > limit ? limit : value; }

}  // namespace router::math
