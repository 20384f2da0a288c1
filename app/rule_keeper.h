// Reads the house's rules anew while the server runs. A set with a rule that cannot be read is refused as a whole: those
// before stay in force.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/probe.h"
#include "net/task.h"
#include "store/house_rules.h"
#include "tools/rule_book.h"

namespace app {

class RuleKeeper {
public:
    RuleKeeper(tools::RuleBook& book, store::Db& db, base::Log& log) : book_(book), db_(db), log_(log) {}

    // Blocking; from any CPU thread. Why what lies there is not in force; of a lost database DbError.
    base::Result<void> read();
    // The same, where nobody hears of it.
    void look();
    // Every minute: who changes rules says so (store::Signal::Kind::rules), but for changes by hand.
    net::Task<void> watch(boost::asio::thread_pool& blocking);

    base::Probe probe() const;

private:
    base::Result<void> take(const std::vector<store::RuleRow>& rows);

    tools::RuleBook& book_;
    store::Db& db_;
    base::Log& log_;
    std::mutex reading_;        // one reads at a time
    std::vector<store::RuleRow> seen_;
    mutable std::mutex mutex_;  // of what follows
    std::string refused_;       // why the rows as they are now are not in force; empty: they are
    std::size_t rules_ = 0;
};

}  // namespace app
