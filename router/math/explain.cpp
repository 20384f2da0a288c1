#include "router/math/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "router/math/distributions.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double NONE = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t QUANTITIES = 3;   // y1, y2, y3
constexpr double FAR = 4;               // z of a day that is an outlier by itself
constexpr double LOGIT_SCALE = 0.5;     // the least of y3, which moves by one failure more than by noise
constexpr int REMEMBERED = 365;         // days of windows

struct Curve {
    std::array<Vector, QUANTITIES> z;         // WINDOW values each, NaN where missing
    Vector fewer = Vector(WINDOW, 1.0);       // how many times fewer events than a weekday has, at least 1
    int present = 0;
};

Normal logit_normal(const Subject& s) {
    Vector values;
    std::vector<char> weekend;
    for (const DailyAggregate& row : s.rows) {
        const Baseline& b = s.track->baseline;
        if (!row.failure_logit || row.date < b.from || row.date >= b.from + std::chrono::days(b.days)) continue;
        values.push_back(*row.failure_logit);
        weekend.push_back(is_weekend(row.date));
    }
    Normal out = normal_of(values, weekend);
    out.scale = std::max(out.scale, LOGIT_SCALE);
    return out;
}

// The week that ends with `last`.
Curve curve_of(const Subject& s, const Normal& logit, Date last) {
    Curve out;
    out.z.fill(Vector(WINDOW, NONE));
    const Date first = last - std::chrono::days(WINDOW - 1);
    auto row = std::lower_bound(s.rows.begin(), s.rows.end(), first, [](const DailyAggregate& r, Date d) { return r.date < d; });
    for (; row != s.rows.end() && row->date <= last; ++row) {
        if (row->sample_count == 0) continue;
        const auto day = std::size_t((row->date - first).count());
        const bool weekend = is_weekend(row->date);
        ++out.present;
        out.fewer[day] = std::max(1.0, s.track->baseline.weekday_count / row->sample_count);
        if (row->level) out.z[0][day] = s.track->baseline.level_z(*row);
        if (row->spread) out.z[1][day] = s.track->baseline.spread.z(*row->spread, weekend);
        out.z[2][day] = logit.z(*row->failure_logit, weekend);
    }
    return out;
}

// Missing days take the mean of the others, so that a decomposition can be fitted; scores leave them out.
void fill(std::span<double> row, const Vector& z) {
    Vector seen;
    for (double v : z)
        if (std::isfinite(v)) seen.push_back(v);
    const double mean = seen.empty() ? 0 : mean_of(seen);
    for (std::size_t t = 0; t < z.size(); ++t) row[t] = std::isfinite(z[t]) ? z[t] : mean;
}

struct Model {
    Mfpca mfpca;
    std::array<double, QUANTITIES> noise;  // what the components leave of a weekday's variance
    Matrix scaled;                         // N × K: robustly scaled and clipped at ±3
    Vector centre, scale;                  // of the scores
    Vector harm;                           // g: the scores of a flat rise of one in all quantities, scaled
};

Vector scores_of(const Model& m, const Curve& curve) {
    std::vector<Vector> parts;
    for (std::size_t j = 0; j < QUANTITIES; ++j) {
        Vector noise = curve.fewer;
        for (double& v : noise) v *= m.noise[j];
        parts.push_back(pace_scores(m.mfpca.parts[j], curve.z[j], noise));
    }
    Vector scores = project(m.mfpca, parts);
    for (std::size_t k = 0; k < scores.size(); ++k) scores[k] = (scores[k] - m.centre[k]) / m.scale[k];
    return scores;
}

Vector clipped(Vector scores) {
    for (double& v : scores) v = winsorised(v, 3);
    return scores;
}

Vector column(const Matrix& m, std::size_t c) {
    Vector out;
    for (std::size_t i = 0; i < m.rows; ++i) out.push_back(m(i, c));
    return out;
}

// The curves that no quantity's decomposition finds far; all of them where hardly any is left.
std::vector<std::size_t> fitted(const std::array<Matrix, QUANTITIES>& all, const Vector& weights) {
    std::vector<int> votes(all[0].rows);
    for (const Matrix& curves : all)
        for (std::size_t i : ordinary_curves(curves, weights)) ++votes[i];
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < votes.size(); ++i)
        if (votes[i] == int(QUANTITIES)) out.push_back(i);
    if (out.size() >= std::max<std::size_t>(10, votes.size() / 2)) return out;
    out.resize(votes.size());
    std::iota(out.begin(), out.end(), std::size_t(0));
    return out;
}

Mfpca decompose(const std::vector<Curve>& curves) {
    Vector grid;
    for (int t = 0; t < WINDOW; ++t) grid.push_back(t);
    const Vector weights = trapezoid_weights(grid);
    std::array<Matrix, QUANTITIES> all;
    for (std::size_t j = 0; j < QUANTITIES; ++j) {
        all[j] = Matrix(curves.size(), WINDOW);
        for (std::size_t i = 0; i < curves.size(); ++i) fill(all[j].row(i), curves[i].z[j]);
    }
    const auto kept = fitted(all, weights);
    std::vector<Block> blocks;
    for (const Matrix& curves_of : all) {
        Block block{Matrix(kept.size(), WINDOW), weights, 0};
        for (std::size_t i = 0; i < kept.size(); ++i) std::copy_n(curves_of.row(kept[i]).begin(), WINDOW, block.curves.row(i).begin());
        block.components = components_for(block.curves, weights);
        blocks.push_back(std::move(block));
    }
    return mfpca(blocks, std::min(3, int(kept.size() / 10)));
}

Model model_of(const std::vector<Curve>& curves) {
    Model m;
    m.mfpca = decompose(curves);
    for (std::size_t j = 0; j < QUANTITIES; ++j) {
        const Fpca& part = m.mfpca.parts[j];
        m.noise[j] = std::max(1e-3, part.total_variance * (1 - part.explained()) / WINDOW);
    }
    const std::size_t k_count = m.mfpca.eigenvalues.size();
    m.centre = Vector(k_count);
    m.scale = Vector(k_count, 1.0);
    m.scaled = Matrix(curves.size(), k_count);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const Vector scores = scores_of(m, curves[i]);
        std::copy(scores.begin(), scores.end(), m.scaled.row(i).begin());
    }
    for (std::size_t k = 0; k < k_count; ++k) {
        const Vector scores = column(m.scaled, k);
        m.centre[k] = median(scores);
        m.scale[k] = std::max(median_deviation(scores, m.centre[k]), 1e-6);
        for (std::size_t i = 0; i < scores.size(); ++i) m.scaled(i, k) = winsorised((scores[i] - m.centre[k]) / m.scale[k], 3);
    }
    std::vector<Vector> flat;
    for (const Fpca& part : m.mfpca.parts) {
        Vector raised = part.mean;
        for (double& v : raised) v += 1;
        flat.push_back(project(part, raised));
    }
    m.harm = project(m.mfpca, flat);
    for (std::size_t k = 0; k < k_count; ++k) m.harm[k] /= m.scale[k];
    return m;
}

double along(const Vector& harm, std::span<const double> from, std::span<const double> to) {
    double sum = 0;
    for (std::size_t k = 0; k < harm.size(); ++k) sum += harm[k] * (to[k] - from[k]);
    return sum;
}

// The component nearest the middle of all among those with weight >= 0.4; else the heaviest.
std::size_t normal_component(const Mixture& m) {
    std::size_t best = std::size_t(std::max_element(m.weights.begin(), m.weights.end()) - m.weights.begin());
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < m.components(); ++k) {
        double squared = 0;
        for (double v : m.means.row(k)) squared += v * v;
        if (m.weights[k] >= 0.4 && squared < nearest) nearest = squared, best = k;
    }
    return best;
}

struct Judge {
    const Model& model;
    const Mixture& mixture;
    std::size_t normal;
    Vector limits;  // 0.999 of each component's D²

    // What the shape of the week alone says.
    Label by_shape(const Vector& raw, int& member) const {
        const Vector scores = clipped(raw);
        const Vector shares = responsibilities(mixture, scores);
        member = int(std::max_element(shares.begin(), shares.end()) - shares.begin());
        bool inside = false;
        for (std::size_t k = 0; k < mixture.components(); ++k) {
            const auto mean = mixture.means.row(k);
            inside |= Mahalanobis(Vector(mean.begin(), mean.end()), mixture.covariances[k]).squared(scores) <= limits[k];
        }
        if (!inside) return Label::outlier;
        if (std::size_t(member) == normal) return Label::normal;
        return along(model.harm, mixture.means.row(normal), mixture.means.row(std::size_t(member))) > 0 ? Label::degraded : Label::improved;
    }
};

// A lasting change is the charts' to tell, a day by itself is an outlier, and the shape speaks where both are silent.
Label judged(const Track& track, std::size_t night, Label shape) {
    const NodeNight& now = track.nights[night];
    const bool far = std::max(now.night.z_level, now.night.z_spread) >= FAR;
    const bool first = night == 0 || track.nights[night - 1].night.score <= 1;
    if (far && first) return Label::outlier;
    if (now.drifting) return Label::degraded;
    if (now.night.level < -1) return Label::improved;
    return shape == Label::outlier ? Label::normal : shape;
}

// Beginning as normal, a label changes when two nights agree on the new one; a day by itself is told at once.
Label settled(const std::vector<Label>& nights) {
    Label out = Label::normal;
    for (std::size_t i = 0; i < nights.size(); ++i)
        if (i > 0 && nights[i] == nights[i - 1]) out = nights[i];
    return !nights.empty() && nights.back() == Label::outlier ? Label::outlier : out;
}

// The disjoint windows of all subjects.
std::vector<Curve> disjoint(const std::vector<Subject>& subjects, const std::vector<Normal>& logits, Date until) {
    std::vector<Curve> out;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (subjects[i].rows.empty() || subjects[i].track->baseline.days == 0) continue;
        Date last = subjects[i].rows.front().date + std::chrono::days(WINDOW - 1);
        while (last <= until - std::chrono::days(REMEMBERED)) last += std::chrono::days(WINDOW);
        for (; last <= until; last += std::chrono::days(WINDOW))
            if (Curve curve = curve_of(subjects[i], logits[i], last); curve.present >= WINDOW_PRESENT) out.push_back(std::move(curve));
    }
    return out;
}

}  // namespace

std::string_view name(Label label) {
    switch (label) {
        case Label::unknown: return "unknown";
        case Label::normal: return "normal";
        case Label::degraded: return "degraded";
        case Label::improved: return "improved";
        case Label::outlier: return "outlier";
    }
    return "";
}

std::optional<Explanation> explain(const std::vector<Subject>& subjects, Date until, Rng& rng) {
    std::vector<Normal> logits;
    for (const Subject& s : subjects) logits.push_back(logit_normal(s));
    const auto curves = disjoint(subjects, logits, until);
    if (curves.size() < 10) return std::nullopt;
    const Model model = model_of(curves);
    const MixtureFit fit = select(model.scaled, {}, {}, curves.size(), rng);
    const std::size_t dimensions = model.scaled.cols;
    Judge judge{model, fit.mixture, normal_component(fit.mixture), Vector(fit.mixture.components(), chi_squared_quantile(0.999, double(dimensions)))};
    const Mahalanobis whole(column_means(model.scaled), ledoit_wolf(model.scaled).covariance);
    const double limit = hotelling_limit(int(dimensions), int(curves.size()), sidak(0.0027, int(subjects.size())));
    Explanation out{.curves = curves.size(), .components = dimensions, .clusters = fit.mixture.components()};
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Track& track = *subjects[i].track;
        std::vector<Label> nights;
        int member = -1;
        double distance = NONE;
        for (int back = 2; back >= 0; --back) {  // the last three nights
            if (track.nights.size() <= std::size_t(back)) continue;
            const Curve curve = curve_of(subjects[i], logits[i], until - std::chrono::days(back));
            member = -1, distance = NONE;
            Label shape = Label::normal;
            if (curve.present >= WINDOW_PRESENT) {
                const Vector scores = scores_of(model, curve);
                shape = judge.by_shape(scores, member);
                distance = std::sqrt(whole.squared(scores) / limit);
            }
            nights.push_back(judged(track, track.nights.size() - 1 - std::size_t(back), shape));
        }
        out.labels.push_back(track.nights.empty() ? Label::unknown : track.nights.back().acting ? Label::degraded : settled(nights));  // what is gone around had more than one bad day
        out.distances.push_back(distance);
        out.members.push_back(member);
    }
    return out;
}

}  // namespace router::math
