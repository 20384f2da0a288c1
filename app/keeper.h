// Keeps the database going while the server serves: starts the private cluster again when it broke
// off, takes leases again after a loss, sees to runs that nobody works on, learns which secrets no log may hold, anchors
// the traces once a day and erases what they hold for too long, and says what is wrong.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "app/settings.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/result.h"
#include "net/task.h"
#include "store/db.h"

namespace app {

class Keeper {
public:
    // Below this much free space on the cluster's disk no new work is taken in: what is under way
    // can still be written, and PostgreSQL does not break off for want of a log segment (16 MiB each).
    static constexpr std::uint64_t kReserve = 48ull << 20;

    // `redactor` is told of the secrets that there are.
    Keeper(const Settings& settings, store::Db& db, base::Log& log, std::shared_ptr<base::Redactor> redactor = {});

    // Looks once a second for as long as its executor runs, and where all is well has what is interrupted gone on with.
    net::Task<void> watch(boost::asio::thread_pool& blocking, std::function<net::Task<void>()> resume);
    // Once; blocking. For tests too.
    void look();

    // Thread-safe. Why the database does not answer; empty when it does.
    std::string trouble() const;
    // Whether new work can be taken in: Error{resource_exhausted} with the numbers when the disk is
    // nearly full.
    base::Result<void> may_accept() const;

private:
    std::string find_out(const store::DbError& e);
    void say(const std::string& trouble);
    void settle();
    void tend();
    void learn();
    std::string anchor();
    void erase();

    const Settings settings_;
    store::Db& db_;
    base::Log& log_;
    const std::shared_ptr<base::Redactor> redactor_;
    std::string learnt_, untended_;
    mutable std::mutex mutex_;
    std::string trouble_;
    std::chrono::steady_clock::time_point next_settling_{}, next_start_{}, next_erasure_{};
    std::chrono::sys_days anchored_{};  // the last day whose anchor was looked after
};

// Free bytes on the disk of the folder, or of its nearest parent that is there; none when the system
// does not say.
std::optional<std::uint64_t> free_bytes(std::filesystem::path folder);

}  // namespace app
