#include "engine/scheduler.h"

#include <algorithm>

namespace engine {

namespace {

int rows_of(std::uint64_t person, std::span<const Progress> running, std::span<const StepPart> prompts) {
    int rows = 0;
    for (const StepPart& part : prompts)
        if (running[std::size_t(part.sequence)].person == person) rows += part.rows;
    return rows;
}

bool wants_prompt(const Progress& p) { return !p.paused && !p.decodes && p.known - p.computed > 1; }

int chunk_of(const Progress& p) { return (p.until > p.computed ? std::min(p.until, p.known) : p.known) - p.computed; }

int people_with_prompts(std::span<const Progress> running) {
    int people = 0;
    for (std::size_t i = 0; i < running.size(); ++i)
        people += wants_prompt(running[i]) && std::none_of(running.begin(), running.begin() + std::ptrdiff_t(i), [&](const Progress& p) { return wants_prompt(p) && p.person == running[i].person; });
    return people;
}

void add_prompts(std::span<const Progress> running, int left, std::vector<StepPart>& step) {
    const int people = people_with_prompts(running);
    if (people == 0 || left <= 0) return;
    const std::size_t first = step.size();
    const int share = std::max(1, left / people);
    for (const bool shares : {true, false})
        for (int i = 0; i < int(running.size()) && left > 0; ++i) {
            const Progress& p = running[std::size_t(i)];
            if (!wants_prompt(p)) continue;
            const auto prompts = std::span(step).subspan(first);
            const auto had = std::ranges::find(prompts, i, &StepPart::sequence);
            const int wanted = chunk_of(p) - (had == prompts.end() ? 0 : had->rows);
            const int rows = std::min({wanted, left, shares ? share - rows_of(p.person, running, prompts) : left});
            if (rows <= 0) continue;
            if (had == prompts.end()) step.push_back({i, rows});
            else had->rows += rows;
            left -= rows;
        }
}

}  // namespace

void admit(const SchedulerLimits& limits, std::span<const std::uint64_t> running, int running_blocks, std::span<const Waiting> waiting, std::vector<int>& joining) {
    joining.clear();
    const auto joins = [&](int i) { return std::ranges::find(joining, i) != joining.end(); };
    while (int(running.size() + joining.size()) < limits.sequences) {
        int next = -1;
        long fewest = 0;
        std::uint64_t longest_ago = 0;
        for (int i = 0; i < int(waiting.size()); ++i) {
            const Waiting& w = waiting[std::size_t(i)];
            if (joins(i)) continue;
            const auto joined = std::ranges::count_if(joining, [&](int j) { return waiting[std::size_t(j)].person == w.person; });
            const long n = std::ranges::count(running, w.person) + joined;
            const std::uint64_t turn = joined > 0 ? UINT64_MAX : w.last_turn;
            if (next < 0 || n < fewest || (n == fewest && turn < longest_ago)) next = i, fewest = n, longest_ago = turn;
        }
        if (next < 0 || running_blocks + waiting[std::size_t(next)].blocks > limits.blocks) return;
        running_blocks += waiting[std::size_t(next)].blocks;
        joining.push_back(next);
    }
}

void plan_step(const SchedulerLimits& limits, std::span<const Progress> running, std::vector<StepPart>& step) {
    step.clear();
    int left = limits.rows;
    for (int i = 0; i < int(running.size()) && left > 0; ++i)
        if (!running[i].paused && running[i].known - running[i].computed == 1) {
            step.push_back({i, 1});
            --left;
        }
    for (int i = 0; i < int(running.size()) && left > 0; ++i) {
        const Progress& p = running[i];
        if (p.paused || !p.decodes || p.known - p.computed <= 1) continue;
        const int rows = std::min(chunk_of(p), left);
        step.push_back({i, rows});
        left -= rows;
    }
    add_prompts(running, left, step);
}

}  // namespace engine
