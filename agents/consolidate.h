// What was said becomes episodes: segments of a conversation that has gone on or come to rest are summed up by a model under grammar. Off the path of every
// request: where no model answers nothing is lost and nothing waits; the segments are summed up another time. Each step is one transaction, so that whoever is
// killed leaves no half of one, and a summary that was made and not kept is made again.
#pragma once

#include "agents/service.h"

namespace agents {

// Of a reply under episode_schema(). Error{corrupt}: it is none.
struct EpisodeText {
    std::string summary, keywords;
};
base::OrderedJson episode_schema();
base::Result<EpisodeText> parse_episode(const std::string& reply);

// The person's, until there are none left or `stop`, which carries the deadline. By the alias of phase "consolidate", else of the answers; gives way to
// whoever else calls a model.
net::Task<Consolidated> consolidate(const Parts& parts, const Options& options, store::Identity who, base::StopToken stop);

}  // namespace agents
