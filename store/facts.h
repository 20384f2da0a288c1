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
};
base::FactId remember(Tx& tx, const std::string& body, base::RunId source, base::FactId id = base::FactId::make(base::SystemClock().now()));
std::vector<Fact> similar_facts(Tx& tx, const std::string& query, int limit);

}  // namespace store
