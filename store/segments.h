// What was said in conversations, as it is found again: each message of a person with what answered it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "store/facts.h"

namespace store {

struct Segment {
    SegmentId id;
    base::ConversationId conversation;
    base::RunId run;                 // that answered; nil: a client has retold it
    std::string asked, answered;     // the beginning of each, at most kSegmentBytes
    bool trusted = false;            // no text from outside was in the conversation by then
    base::TimePoint said{};
    MemoryPlace place{};               // as of facts; its id is the segment's
};
inline constexpr std::size_t kSegmentBytes = 16000;

// What the conversation holds and is in no segment yet becomes some, each once however often this is called; what nothing has answered yet waits, and of a thread that
// a run has spawned nothing is kept.
// `run` is the one that has just answered, `trusted` its label; of what older runs said nobody knows any more. `retells`: its answer only tells what is
// remembered, which shall not be found twice. Lock the conversation first.
void keep_segments(Tx& tx, base::ConversationId conversation, base::RunId run, bool trusted, bool retells = false);

// As facts_behind and facts_by_id.
std::vector<Segment> segments_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most);
std::vector<Segment> segments_by_id(Tx& tx, const std::vector<SegmentId>& ids);
std::vector<SegmentId> ids_of(const std::vector<Segment>& segments);

// What a model reads segments for, each once: an episode of them (keep_episode), and facts.
enum class Reading { episode, facts };
// The next of the person's segments that have not been read for it: at most `most` in a row of one conversation that has so many, or has been at rest for so
// long. Empty: there are none beside the conversations of `passed_over`.
std::vector<Segment> next_unread(Tx& tx, Reading what, int most, std::chrono::seconds rest, const std::vector<base::ConversationId>& passed_over);
// For facts. False: somebody has read one of them meanwhile, or one is forgotten.
bool mark_read(Tx& tx, const std::vector<SegmentId>& segments);
bool mark_rows_read(Tx& tx, const std::string& table, const std::string& ids, std::size_t number);

}  // namespace store
