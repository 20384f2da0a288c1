// Messages of a person with answers that the critic let pass: what a model can be trained on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/segments.h"

namespace store {

struct Interaction {
    SegmentId id;
    base::RunId run;
    std::string asked, answered;
    std::string why, critic;         // the critic's reason, and the model that it is
    std::string model;               // that answered; empty: nobody knows any more
    base::TimePoint said{};
};
struct InteractionsAsked {
    std::optional<base::TimePoint> since, until;  // until: not that moment itself
    std::optional<SegmentId> before;
    int limit = 100;
};
// The person's own, the newest first: each pair of texts once, whole ones only, none of a conversation into which a text from outside had come by then.
std::vector<Interaction> list_interactions(Tx& tx, const InteractionsAsked& asked);

}  // namespace store
