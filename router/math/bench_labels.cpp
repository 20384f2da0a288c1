// Labels of nodes whose state is known, and the fast path within a day.
#include <algorithm>
#include <array>
#include <cmath>

#include "router/math/bench.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr int CHANGE = 50, SINCE = 8;  // the labels are asked after that many days of change

constexpr std::array LABELS = {Label::normal, Label::degraded, Label::improved, Label::outlier};

struct Confusion {
    std::array<std::array<int, LABELS.size()>, LABELS.size()> count{};  // truth × told

    void add(Label truth, Label told) {
        const auto at = [](Label l) { return std::size_t(std::find(LABELS.begin(), LABELS.end(), l) - LABELS.begin()); };
        if (at(told) < LABELS.size()) ++count[at(truth)][at(told)];
    }
    double accuracy() const {
        double right = 0, all = 0;
        for (std::size_t i = 0; i < LABELS.size(); ++i)
            for (std::size_t j = 0; j < LABELS.size(); ++j) all += count[i][j], right += i == j ? count[i][j] : 0;
        return right / std::max(1.0, all);
    }
    double macro_f1() const {
        double sum = 0;
        for (std::size_t k = 0; k < LABELS.size(); ++k) {
            double truth = 0, told = 0;
            for (std::size_t i = 0; i < LABELS.size(); ++i) truth += count[k][i], told += count[i][k];
            sum += truth + told > 0 ? 2 * count[k][k] / (truth + told) : 0;
        }
        return sum / double(LABELS.size());
    }
};

// Of the seven nodes: one degraded, one better, one with a bad day, the others as they were.
std::vector<Label> truths(std::size_t nodes, int repetition) {
    std::vector<Label> out(nodes, Label::normal);
    const std::array<std::size_t, 4> may = {1, 4, 0, 2};  // intake, recompose, arbiter, retrieve
    const std::size_t turn = std::size_t(repetition);
    out[may[turn % 4]] = Label::degraded;
    out[may[(turn + 1) % 4]] = Label::improved;
    out[may[(turn + 2) % 4]] = Label::outlier;
    return out;
}

Disturbance disturbance(Label truth, int since) {
    if (truth == Label::degraded) return {.factor = 1.5};
    if (truth == Label::improved) return {.factor = 0.65};
    return {.factor = truth == Label::outlier && since == SINCE - 1 ? 3.0 : 1.0};
}

Confusion labels_of(const BenchOptions& o, int repetition) {
    BenchOptions seven = o;
    seven.nodes = 7;
    SimHistory history(bench_tenant(seven, bench_family(o)), bench_seed(o, "labels", repetition), bench_start(repetition), o.baseline_days);
    const std::size_t nodes = history.tenant().nodes.size();
    const auto truth = truths(nodes, repetition);
    const int change = std::max(CHANGE, o.baseline_days + 20);
    for (int d = 0; d < change + SINCE; ++d) {
        std::vector<Disturbance> today(nodes);
        for (std::size_t i = 0; i < nodes; ++i)
            if (d >= change) today[i] = disturbance(truth[i], d - change);
        history.day(today);
    }
    LimitTable table;
    const NightReport report = analyse("bench", bench_nodes(history, o.baseline_days), history.last(), table);
    Confusion out;
    for (std::size_t i = 0; i < nodes; ++i)
        if (history.rows()[i].back().sample_count > 0) out.add(truth[i], report.nodes[i].label);  // nobody can tell of a day without events
    return out;
}

// ln(latency) of a node of 60 events a day.
class Stream {
public:
    explicit Stream(const std::string& seed) : rng_(seed), effect_(rng_.normal()) {}
    double next() {
        if (++today_ > 60) today_ = 1, effect_ = 0.4 * effect_ + std::sqrt(1 - 0.16) * rng_.normal();
        const double cold = rng_.uniform() < 0.02 ? std::log(2.5) : 0;
        return std::log(26'000) + 0.07 * effect_ + 0.45 * rng_.student(4) + cold;
    }

private:
    Rng rng_;
    double effect_;
    int today_ = 0;
};

}  // namespace

std::vector<Figure> bench_labels(const BenchOptions& o) {
    std::vector<Confusion> all(static_cast<std::size_t>(o.repetitions));
    each_of(o.repetitions, o.threads, [&](int i) { all[std::size_t(i)] = labels_of(o, i); });
    Confusion sum;
    for (const Confusion& c : all)
        for (std::size_t i = 0; i < LABELS.size(); ++i)
            for (std::size_t j = 0; j < LABELS.size(); ++j) sum.count[i][j] += c.count[i][j];
    return {{"labels", "accuracy", sum.accuracy(), "share", 0.90, true}, {"labels", "macro-F1", sum.macro_f1(), "", 0.85, true}};
}

std::vector<Figure> bench_intraday(const BenchOptions& o) {
    constexpr int DAYS = 30, PER_DAY = 60;
    std::vector<int> false_ones(static_cast<std::size_t>(o.repetitions)), delays(false_ones.size());
    each_of(o.repetitions, o.threads, [&](int i) {
        Stream stream(bench_seed(o, "intraday", i));
        Vector calm;
        for (int e = 0; e < DAYS * PER_DAY; ++e) calm.push_back(stream.next());
        const double centre = median(calm);
        FastPath path(centre, median_deviation(calm, centre));
        bool before = false;
        for (int e = 0; e < DAYS * PER_DAY; ++e) {
            const bool now = path.add(stream.next());
            false_ones[std::size_t(i)] += now && !before;
            before = now;
        }
        FastPath changed(centre, median_deviation(calm, centre));
        while (!changed.add(stream.next() + std::log(2.0)) && ++delays[std::size_t(i)] < 1000) {
        }
        ++delays[std::size_t(i)];
    });
    double sum = 0;
    for (int f : false_ones) sum += f;
    std::sort(delays.begin(), delays.end());
    return {{"intraday", "x2: events until the penalty is live, median", double(delays[delays.size() / 2]), "events", 15.0},
            {"intraday", "x2: nine in ten", double(delays[delays.size() * 9 / 10]), "events"},
            {"intraday", "false activations", sum / double(false_ones.size()), "a node-month", 1.0}};
}

}  // namespace router::math
