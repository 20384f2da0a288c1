// What was said becomes episodes: segments of a conversation that has gone on or come to rest are summed up by a model under grammar.
#pragma once

#include "agents/digest.h"

namespace agents {

// Of a reply under episode_schema(). Error{corrupt}: it is none.
struct EpisodeText {
    std::string summary, keywords;
};
base::OrderedJson episode_schema();
base::Result<EpisodeText> parse_episode(const std::string& reply);

Digest episodes();

}  // namespace agents
