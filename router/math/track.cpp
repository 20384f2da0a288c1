#include "router/math/track.h"

#include <algorithm>

#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr int PLATEAU = 14;

bool has_events(const DailyAggregate* row) { return row && row->sample_count > 0; }

class Follower {
public:
    Follower(std::span<const DailyAggregate> rows, double autocorrelation, int nodes, const TrackSettings& settings, LimitTable& table)
        : rows_(rows), autocorrelation_(autocorrelation), nodes_(nodes), settings_(settings), table_(table) {}

    Track run(Date until) {
        if (rows_.empty()) return std::move(out_);
        count();
        from_ = rows_.front().date;
        auto row = rows_.begin();
        for (Date date = from_; date <= until; date += std::chrono::days(1)) {
            while (row != rows_.end() && row->date < date) ++row;
            const DailyAggregate* const today = row != rows_.end() && row->date == date ? &*row : nullptr;
            if (settings_.accepted == date) restart(date);
            lengthen(date);
            out_.days = int((date - rows_.front().date).count()) + 1;
            days_seen_ += has_events(today);
            out_.worth = days_worth(out_.days, days_seen_);
            if (charts_) night(date, today);
            if (has_events(today)) out_.seen = date;
        }
        return std::move(out_);
    }

private:
    void count() {
        Vector counts;
        for (const DailyAggregate& row : rows_) {
            if (row.sample_count == 0) continue;
            counts.push_back(row.sample_count);
            out_.events += row.sample_count;
        }
        out_.median_events = counts.empty() ? 0 : median(std::move(counts));
    }

    void restart(Date from) {
        from_ = from;
        stage_ = 0;
        charts_.reset();
        out_.baseline = {};
        drifting_ = acting_ = {};
        seen_.clear();
        better_ = 0;
    }

    // Takes the longest baseline that is complete before `date`. No longer than it needs to be: a drift may have held it back.
    void lengthen(Date date) {
        if (drifting_.on) return;
        for (const int stage : {settings_.baseline_days, 14, 7}) {
            if (stage <= stage_) return;
            const int days = span_worth(rows_, from_, stage, int((date - from_).count()));
            if (days == 0) continue;
            stage_ = stage;
            take(days, date);
            return;
        }
    }

    void take(int days, Date date) {
        out_.baseline = baseline_of(rows_, from_, days);
        out_.limits = table_.of(out_.baseline, autocorrelation_, nodes_);
        charts_.emplace(out_.baseline, out_.limits);
        // Days between the baseline's end and today.
        auto row = rows_.begin();
        for (Date d = from_ + std::chrono::days(days); d < date; d += std::chrono::days(1)) {
            while (row != rows_.end() && row->date < d) ++row;
            charts_->advance(d, row != rows_.end() && row->date == d ? &*row : nullptr);
        }
    }

    void night(Date date, const DailyAggregate* row) {
        if (out_.gone(date)) forget();
        NodeNight now{.night = charts_->advance(date, row), .gate = out_.gate(date)};
        seen_.push_back(now.night);
        drifting_.update(now.night.score, now.night.score > 1);
        acting_.update(now.night.score, confirmed(seen_));
        now.drifting = drifting_.on;
        now.acting = acting_.on;
        const double wanted = acting_.on ? weight_adjustment(0, now.night.score, authority_of(now.gate)) : 0;
        if (!settings_.frozen || date < *settings_.frozen) weight_ = limited(weight_, wanted);
        now.weight = weight_;
        out_.nights.push_back(now);
        better_ = now.night.level < -1 && !drifting_.on ? better_ + 1 : 0;
        if (better_ >= PLATEAU) restart(date - std::chrono::days(PLATEAU - 1));
    }

    void forget() {
        charts_->forget();
        drifting_ = acting_ = {};
        seen_.clear();
        better_ = 0;
    }

    std::span<const DailyAggregate> rows_;
    double autocorrelation_;
    int nodes_;
    const TrackSettings& settings_;
    LimitTable& table_;
    Track out_;
    Date from_{};
    int stage_ = 0;      // days that the present baseline is worth
    int days_seen_ = 0;  // with events, from the first row on
    std::optional<Charts> charts_;
    std::vector<Night> seen_;  // under the present baseline
    Switch drifting_, acting_;
    double weight_ = 0;
    int better_ = 0;
};

}  // namespace

Gate Track::gate(Date until) const { return gone(until) ? Gate::insufficient : gate_of(worth, events, median_events); }

Track track(std::span<const DailyAggregate> rows, Date until, double autocorrelation, int nodes, const TrackSettings& settings, LimitTable& table) {
    return Follower(rows, autocorrelation, nodes, settings, table).run(until);
}

}  // namespace router::math
