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
    for (int i = 0; i < int(running.size()) && left > 0; ++i) {
        const int missing = running[i].known - running[i].computed;
        if (running[i].paused || missing <= 1) continue;
        const int rows = std::min(missing, left);
        step.push_back({i, rows});
        left -= rows;
    }
}

}  // namespace engine
