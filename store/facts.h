// What the assistant was told to remember, per audience.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

// In the order in which facts are read: by the transaction that wrote them.
struct FactPlace {
    std::int64_t written = 0;
    base::FactId id{};
};
struct Fact {
    base::FactId id;
    std::string body;
    base::RunId source;             // in which it was kept; nil: in none
    base::TimePoint created{};
    bool trusted = false;           // the person's own word; else text from outside was in the conversation that it was kept in
    FactPlace place{};
};
base::FactId remember(Tx& tx, const std::string& body, base::RunId source, base::FactId id = base::FactId::make(base::SystemClock().now()), bool trusted = false);

// What a reader may read, and from where it has to go on the next time: everything before is visible to him now.
struct FactScope {
    std::vector<base::AudienceId> audiences;  // the person, then his groups in the order of their ids
    FactPlace next;
};
FactScope fact_scope(Tx& tx);

// Of one audience those behind that place, in order. The audience is asked for by name, so that two locks stand before another's facts: this
// one and row-level security.
std::vector<Fact> facts_behind(Tx& tx, base::AudienceId audience, const FactPlace& place, int most);

// Of these the ones that can be seen, in any order.
std::vector<Fact> facts_by_id(Tx& tx, const std::vector<base::FactId>& ids);

}  // namespace store
