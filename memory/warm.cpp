#include "memory/warm.h"

#include "store/people.h"

namespace memory {

net::Task<int> warm(store::Db& db, PersonIndexes& indexes, store::Identity who, base::StopToken stop) {
    const auto list = [](store::Tx& tx) { return store::people_by_use(tx); };
    const std::vector<base::PersonId> people = co_await db.read(who, list);
    int done = 0;
    for (const base::PersonId person : people) {
        const store::Identity of{who.tenant, person};
        const auto index = [&](store::Tx& tx) { return indexes.prepare(tx, stop); };
        const bool room = co_await db.read(of, index);
        if (stop.stopped()) break;
        ++done;
        if (!room) break;
    }
    co_return done;
}

}  // namespace memory
