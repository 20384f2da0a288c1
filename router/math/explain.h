// The explaining layer: the shape of each node's last week among all weeks of all nodes, its distance and its label. Charts decide
// what is done; this says what it looks like.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "router/math/covariance.h"
#include "router/math/mfpca.h"
#include "router/math/mixture.h"
#include "router/math/track.h"

namespace router::math {

enum class Label { unknown, normal, degraded, improved, outlier };
std::string_view name(Label label);

constexpr int WINDOW = 7;         // days of a curve
constexpr int WINDOW_PRESENT = 5; // of which that many must have events

// A node as this layer sees it.
struct Subject {
    std::span<const DailyAggregate> rows;  // rising by date
    const Track* track = nullptr;
};

struct Explanation {
    std::size_t curves = 0;      // disjoint windows that the model rests on
    std::size_t components = 0;  // of the functional principal components
    std::size_t clusters = 0;    // of the mixture
    std::vector<Label> labels = {};   // one a subject
    Vector distances = {};            // T = sqrt(D²/q) with D² under Ledoit and Wolf's covariance and q Hotelling's limit; NaN: no curve
    std::vector<int> members = {};    // the mixture's component of each subject's last window; -1: no curve
};

// None where fewer than ten curves fit a model. until: the last complete day.
std::optional<Explanation> explain(const std::vector<Subject>& subjects, Date until, Rng& rng);

}  // namespace router::math
