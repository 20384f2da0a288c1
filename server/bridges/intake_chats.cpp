// What becomes of chats: one goes on under another id, or somebody is in it no more.
#include "server/bridges/intake.h"
#include "store/groups.h"

namespace server::bridges {

net::Task<void> Intake::move(std::string bridge, Arrival arrival) {
    const auto write = [&](store::Tx& tx) {
        store::move_chat(tx, bridge, arrival.chat, arrival.moved_to);
        store::settle_arrival(tx, bridge, arrival.update, "moved");
    };
    co_await parts_.db.run(house_, write);
}

// What works for him there ends by itself; what is remembered there is not his to read any more.
net::Task<void> Intake::leave(Transport& by, Arrival arrival, policy::Principal who) {
    const auto write = [&](store::Tx& tx) {
        store::leave_chat(tx, by.name(), arrival.chat);
        store::settle_arrival(tx, by.name(), arrival.update, "left");
    };
    co_await parts_.db.run(agents::identity_of(who), write);
}

}  // namespace server::bridges
