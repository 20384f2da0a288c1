#include "process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>

namespace kill_matrix {

int in_a_process(Record& record, std::chrono::seconds longest, const std::function<void()>& life) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) std::perror("fork"), std::exit(2);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(unsigned(longest.count()));
        try {
            life();
        } catch (const std::exception& e) {
            record.crashed = true;
            if (!record.plan.victim && !record.hit) std::fprintf(stderr, "a process broke off: %s\n", e.what());
        }
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

bool wait_for_backends(store::Db& db, const store::Identity& who, const std::string& application) {
    const auto gone = [&](store::Tx& tx) { return tx.exec("select from pg_stat_activity where application_name = $1", {application}).empty(); };
    for (int i = 0; i < 60'000; ++i) {
        if (db.run_blocking(who, gone)) return true;
        usleep(1000);
    }
    return false;
}

}  // namespace kill_matrix
