// Summaries of what was said: some segments of a conversation in a row.
#pragma once

#include <string>
#include <vector>

#include "store/segments.h"

namespace store {

using EpisodeId = base::Id<struct EpisodeTag>;

struct Episode {
    EpisodeId id;
    base::ConversationId conversation;
    std::string summary, keywords;   // keywords by blanks and commas
    bool trusted = false;            // all that it sums up is
    base::TimePoint began{}, ended{};
    MemoryPlace place{};
};

// Of those segments, once: false where somebody has summed one of them up meanwhile, or one is forgotten.
struct Summary {
    std::string text, keywords, model;
};
bool keep_episode(Tx& tx, const std::vector<SegmentId>& segments, const Summary& summary);

// As facts_behind and facts_by_id.
std::vector<Episode> episodes_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most);
std::vector<Episode> episodes_by_id(Tx& tx, const std::vector<EpisodeId>& ids);

}  // namespace store
