// What people read that no model has written, where it is more than a saying (server/bridges/sayings.h). Pure.
#pragma once

#include <string>
#include <vector>

#include "agents/zone.h"
#include "server/bridges/arrival.h"
#include "server/bridges/sayings.h"
#include "store/approvals.h"
#include "store/arrivals.h"
#include "store/runs.h"

namespace server::bridges {

// `ending`: what an earlier stop is for.
std::string stopped_words(Language language, const std::vector<std::string>& stopped, const std::vector<std::string>& ending);
// What came with a message, as its sender is told of it: by its name, or its kind where it has none.
std::string shown_name(const std::string& media, const ArrivedFile& file);
// The same as the agent is told of it: what it says, or the beginning of that; or that it cannot be read and why.
std::string file_words(const std::string& media, const ArrivedFile& file, const std::string& says, bool cut);
std::string unread_words(const std::string& media, const ArrivedFile& file, const std::string& why);
// The same of what words can tell.
std::string told_words(const std::string& media, const std::string& says, bool answered);
// The same of what is kept raw under that id, and why it is not read.
std::string kept_words(const std::string& media, const ArrivedFile& file, const std::string& id, const std::string& why);
// What it answers, as the agent is told of that; empty: nothing.
std::string quoted_words(const Arrival& arrival);
// What somebody hands on, as the agent is told of that.
std::string forwarded_words(const Arrival& arrival);
// What others asked in the group meanwhile, and how they were answered, as the agent is told of that; empty: nothing.
std::string group_words(const std::vector<store::Exchange>& talk);
// Of an edit that comes too late.
std::string edited_words(Language language, const std::string& question, bool works);
// What a run wants to do, word for word, and until when it waits, by that clock; and what came of it.
std::string question_words(Language language, const store::Approval& asked, const agents::Zone& zone);
std::string decided_words(Language language, const store::Approval& asked);
// The answer of a run that has ended, or why there is none; empty: nothing is to be said.
std::string end_words(Language language, const store::Run& run);

}  // namespace server::bridges
