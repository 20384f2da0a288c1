// Summaries of what was said: some segments of a conversation in a row.
#pragma once

#include <chrono>
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

// The next of the person's segments to be summed up: at most `most` in a row of one conversation that has so many, or has been at rest for so
// long. Empty: there are none beside the conversations of `passed_over`.
std::vector<Segment> next_unsummed(Tx& tx, int most, std::chrono::seconds rest, const std::vector<base::ConversationId>& passed_over);

// Of those segments, once: false where somebody has summed one of them up meanwhile, or one is forgotten.
struct Summary {
    std::string text, keywords, model;
};
bool keep_episode(Tx& tx, const std::vector<SegmentId>& segments, const Summary& summary);

// As facts_behind and facts_by_id.
std::vector<Episode> episodes_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most);
std::vector<Episode> episodes_by_id(Tx& tx, const std::vector<EpisodeId>& ids);

}  // namespace store
