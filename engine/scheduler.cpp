#include "engine/scheduler.h"

#include <algorithm>
#include <tuple>

namespace engine {

namespace {

int rows_of(std::uint64_t person, std::span<const Progress> running, std::span<const StepPart> prompts) {
    int rows = 0;
    for (const StepPart& part : prompts)
        if (running[std::size_t(part.sequence)].person == person) rows += part.rows;
    return rows;
}

bool wants_prompt(const Progress& p, Urgency urgency) { return p.urgency == urgency && !p.paused && !p.decodes && p.known - p.computed > 1; }

int chunk_of(const Progress& p) { return (p.until > p.computed ? std::min(p.until, p.known) : p.known) - p.computed; }

int people_with_prompts(std::span<const Progress> running, Urgency urgency) {
    int people = 0;
    for (std::size_t i = 0; i < running.size(); ++i)
        people += wants_prompt(running[i], urgency) && std::none_of(running.begin(), running.begin() + std::ptrdiff_t(i), [&](const Progress& p) { return wants_prompt(p, urgency) && p.person == running[i].person; });
    return people;
}

// What is left after the prompts of that urgency.
int add_prompts(std::span<const Progress> running, Urgency urgency, int left, std::vector<StepPart>& step) {
    const int people = people_with_prompts(running, urgency);
    if (people == 0 || left <= 0) return left;
    const std::size_t first = step.size();
    const int share = std::max(1, left / people);
    for (const bool shares : {true, false})
        for (int i = 0; i < int(running.size()) && left > 0; ++i) {
            const Progress& p = running[std::size_t(i)];
            if (!wants_prompt(p, urgency)) continue;
            const auto prompts = std::span(step).subspan(first);
            const auto had = std::ranges::find(prompts, i, &StepPart::sequence);
            const int wanted = chunk_of(p) - (had == prompts.end() ? 0 : had->rows);
            const int rows = std::min({wanted, left, shares ? share - rows_of(p.person, running, prompts) : left});
            if (rows <= 0) continue;
            if (had == prompts.end()) step.push_back({i, rows});
            else had->rows += rows;
            left -= rows;
        }
    return left;
}

bool has_work(const Progress& p) { return !p.paused && p.known > p.computed; }

// Whether it may join beside what runs: see scheduler.h.
bool has_place(const SchedulerLimits& limits, const Waiting& w, int running, int running_blocks) {
    const bool last = limits.sequences > 1 && running + 1 == limits.sequences;
    if (w.urgency != Urgency::person && last) return false;
    const bool much = w.urgency == Urgency::night && running > 0 && running_blocks + w.blocks > limits.blocks / 2;
    return !much && running_blocks + w.blocks <= limits.blocks;
}

}  // namespace

void admit(const SchedulerLimits& limits, std::span<const std::uint64_t> running, int running_blocks, std::span<const Waiting> waiting, std::vector<int>& joining) {
    joining.clear();
    const auto joins = [&](int i) { return std::ranges::find(joining, i) != joining.end(); };
    while (int(running.size() + joining.size()) < limits.sequences) {
        int next = -1;
        Urgency most = Urgency::night;
        long fewest = 0;
        std::uint64_t longest_ago = 0;
        for (int i = 0; i < int(waiting.size()); ++i) {
            const Waiting& w = waiting[std::size_t(i)];
            if (joins(i)) continue;
            const auto joined = std::ranges::count_if(joining, [&](int j) { return waiting[std::size_t(j)].person == w.person; });
            const long n = std::ranges::count(running, w.person) + joined;
            const std::uint64_t turn = joined > 0 ? UINT64_MAX : w.last_turn;
            if (next < 0 || std::tie(w.urgency, n, turn) < std::tie(most, fewest, longest_ago)) next = i, most = w.urgency, fewest = n, longest_ago = turn;
        }
        if (next < 0 || !has_place(limits, waiting[std::size_t(next)], int(running.size() + joining.size()), running_blocks)) return;
        running_blocks += waiting[std::size_t(next)].blocks;
        joining.push_back(next);
    }
}

void plan_step(const SchedulerLimits& limits, std::span<const Progress> running, std::vector<StepPart>& step) {
    step.clear();
    int left = limits.rows;
    const bool day = std::ranges::any_of(running, [](const Progress& p) { return p.urgency != Urgency::night && has_work(p); });
    const auto rests = [&](const Progress& p) { return p.paused || (day && p.urgency == Urgency::night); };
    for (int i = 0; i < int(running.size()) && left > 0; ++i)
        if (!rests(running[i]) && running[i].known - running[i].computed == 1) {
            step.push_back({i, 1});
            --left;
        }
    for (int i = 0; i < int(running.size()) && left > 0; ++i) {
        const Progress& p = running[i];
        if (rests(p) || !p.decodes || p.known - p.computed <= 1) continue;
        const int rows = std::min(chunk_of(p), left);
        step.push_back({i, rows});
        left -= rows;
    }
    left = add_prompts(running, Urgency::person, left, step);
    left = add_prompts(running, Urgency::schedule, left, step);
    if (!day) add_prompts(running, Urgency::night, left, step);
}

}  // namespace engine
