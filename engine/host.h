// Several models in one process under one memory plan, which share the CPU threads: each is loaded and unloaded while the others serve.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "engine/engine.h"

namespace engine {

// Any member from any CPU thread.
class Host {
public:
    // `limit`: bytes for all models; 0: 90 % of what is available when the first is planned.
    explicit Host(std::uint64_t limit = 0);

    // A place in the order in which memory is planned; each is given to one load().
    using Turn = std::uint64_t;
    Turn take_turn();
    void give_up(Turn turn);  // in place of load()

    // Blocks. The model gets what those before it leave, and holds that until the last holder of what is returned is gone.
    // Error{conflict}: something is loaded under that name. Error{resource_exhausted} says who holds how much.
    base::Result<std::shared_ptr<Engine>> load(Turn turn, const std::string& name, LoadOptions options);

    // Bytes of each model that is loaded or being loaded.
    std::map<std::string, std::uint64_t> held() const;

private:
    // Outlives the Host where a model does.
    struct Ledger {
        std::mutex mutex;
        std::uint64_t limit = 0;
        std::map<std::string, std::uint64_t> held;
    };
    base::Result<void> leave_to_others(const std::string& name, LoadOptions& options);
    void wait_for(Turn turn);
    void end(Turn turn);
    void pass_given_up();  // under mutex_

    const std::shared_ptr<Ledger> ledger_;
    const std::shared_ptr<PoolShare> share_ = std::make_shared<PoolShare>(0);
    std::mutex mutex_;  // of what follows
    std::condition_variable moved_;
    Turn taken_ = 0, planning_ = 0;
    std::set<Turn> given_up_;
};

}  // namespace engine
