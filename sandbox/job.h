// One sandboxed program, as the launcher process sees it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "sandbox/cgroup.h"
#include "sandbox/protection.h"
#include "sandbox/wire.h"

namespace sandbox {

struct Job {
    pid_t outer = 0;   // bubblewrap, our child
    pid_t inner = 0;   // pid 1 of the namespace; known once bubblewrap has said so
    Fd control, status, go;
    std::string said;  // bubblewrap's status documents
    Limits limits;
    std::chrono::steady_clock::time_point begun, deadline;
    std::optional<std::chrono::steady_clock::time_point> next_look;  // at its memory, where no control group limits it
    bool over_memory = false, memory_by_group = false;
    bool outer_gone = false, kill_wanted = false, killed = false, timed_out = false, started = false;
    int wait_status = 0;
    std::unique_ptr<Cgroup> group;
    std::optional<Protection::Key> held;
    Fd workspace;                              // these three for when the server dies meanwhile
    std::string root, repositories;
};

// The number after `"key":` in bubblewrap's status documents.
std::optional<long> number_in(const std::string& documents, const std::string& key);

// Starts bubblewrap; it waits at a barrier until job_step() lets it go. An error says why not.
base::Result<void> start_job(Job& job, Descriptors descriptors, Protection& protection, const std::string& seccomp);
// Reads what bubblewrap says; at the barrier sets the limits and opens it. Kills when that is wanted.
void job_step(Job& job, const CgroupHome& home);
// Whether bubblewrap and the whole namespace are gone; reaps.
bool job_over(Job& job);
// What the server does after a run: see GitFolders.
void disarm_for_the_server(const Job& job);
// Once it is over.
Report job_report(Job& job);

}  // namespace sandbox
