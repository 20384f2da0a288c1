// What the assistant was told to remember, per audience.
#pragma once

#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Fact {
    base::FactId id;
    std::string body;
    double score = 0;  // trigram similarity to the query, 0..1
    base::TimePoint created{};
    bool trusted = false;  // the person's own word; else text from outside was in the conversation that it was kept in
};
base::FactId remember(Tx& tx, const std::string& body, base::RunId source, base::FactId id = base::FactId::make(base::SystemClock().now()), bool trusted = false);
std::vector<Fact> similar_facts(Tx& tx, const std::string& query, int limit);

}  // namespace store
