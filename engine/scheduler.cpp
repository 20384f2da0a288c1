#include "engine/scheduler.h"

#include <algorithm>

namespace engine {

int admit(const SchedulerLimits& limits, int running, int running_blocks, std::span<const int> waiting) {
    int admitted = 0;
    for (const int blocks : waiting) {
        if (running + admitted >= limits.sequences || running_blocks + blocks > limits.blocks) break;
        running_blocks += blocks;
        ++admitted;
    }
    return admitted;
}

void plan_step(const SchedulerLimits& limits, std::span<const Progress> running, std::vector<StepPart>& step) {
    step.clear();
    int left = limits.rows;
    for (int i = 0; i < int(running.size()) && left > 0; ++i)
        if (!running[i].paused && running[i].known - running[i].computed == 1) {
            step.push_back({i, 1});
            --left;
        }
    for (const bool decodes : {true, false})
        for (int i = 0; i < int(running.size()) && left > 0; ++i) {
            const Progress& p = running[i];
            if (p.paused || p.decodes != decodes || p.known - p.computed <= 1) continue;
            const int end = p.until > p.computed ? std::min(p.until, p.known) : p.known, rows = std::min(end - p.computed, left);
            step.push_back({i, rows});
            left -= rows;
        }
}

}  // namespace engine
