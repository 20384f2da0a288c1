// One sandbox, as the launcher process sees it: made first, then given the call that it runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "sandbox/cgroup.h"
#include "sandbox/protection.h"
#include "sandbox/spec.h"
#include "sandbox/wire.h"

namespace sandbox {

// What all jobs of a launcher process share.
struct Kit {
    CgroupHome home;
    std::string seccomp;
    Fd waiter;              // waiter_program()
    Protection protection;
};

// A request that has come, with what a sandbox for it must be.
struct Call {
    Request request;
    Descriptors ends;
    Spec spec;
};

struct Job {
    Spec spec;
    pid_t outer = 0;        // bubblewrap, our child
    pid_t inner = 0;        // pid 1 of the namespace; known once bubblewrap has said so
    pid_t binder = 0;       // see serve_call(); our child
    Fd status, go;
    Fd binding;             // to the binder
    Fd waiter;              // the other end of the waiter's socket, until that has become the program
    Fd complaint, complain;  // a pipe of what is said on the way to the program
    Fd mounts;              // the mount namespace, from when the waiter is ready until the call is handed over
    std::string said;       // bubblewrap's status documents
    std::unique_ptr<Cgroup> group;
    bool memory_by_group = false, started = false, ready = false;
    std::optional<std::chrono::steady_clock::time_point> spare_until;  // made before any call wanted it: when it is given up

    std::optional<Call> call;
    bool was_ready = false;  // before the call came
    std::optional<Protection::Key> held;
    std::vector<Overlay> overlays;  // that the binder mounts
    std::chrono::steady_clock::time_point begun, deadline;
    std::optional<std::chrono::steady_clock::time_point> next_look;  // at its memory and processes, where no control group limits them
    bool handed_over = false, program_began = false, failed = false, over_memory = false, timed_out = false;

    bool outer_gone = false, kill_wanted = false, killed = false;
};

// The number after `"key":` in bubblewrap's status documents.
std::optional<long> number_in(const std::string& documents, const std::string& key);

// Reads a request and looks whether it can be served at all.
base::Result<Call> read_call(Descriptors descriptors);

// Starts bubblewrap; it waits at a barrier until job_step() lets it go. An error says why not.
base::Result<void> make_sandbox(Job& job, const Spec& spec, const Kit& kit);
// The call's time begins now. The sandbox need not be ready yet.
void give_call(Job& job, Call call);
// Reads what bubblewrap and the waiter say; at the barrier sets the limits and opens it; hands the call over once both
// are there. Kills when that is wanted.
void job_step(Job& job, Kit& kit);
// Whether bubblewrap and the whole namespace are gone; reaps.
bool job_over(Job& job);
// Whether its call had no effect at all, though nobody wanted its end.
bool never_began(const Job& job);
// What the server does after a run: see GitFolders.
void disarm_for_the_server(const Job& job);
// Once it is over.
Report job_report(Job& job);

}  // namespace sandbox
