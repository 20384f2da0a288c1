// What people read that no model has written. Pure.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/bridges/arrival.h"
#include "store/approvals.h"
#include "store/runs.h"

namespace server::bridges {

std::string start_words();
std::string pairing_words(const std::string& code);
// `ending`: what an earlier stop is for.
std::string stopped_words(const std::vector<std::string>& stopped, const std::vector<std::string>& ending);
std::string text_alone_words(const std::string& media);
std::string refused_words(const base::Error& error);
// What came with a message, as the agent is told of it: what it says, or that it cannot be read and why.
std::string file_words(const std::string& media, const ArrivedFile& file, const std::string& says);
std::string unread_words(const std::string& media, const ArrivedFile& file, const std::string& why);
// Whether it says that it is a text, of a size that is read.
inline constexpr std::size_t kMostOfFile = 256 * 1024;
bool is_read(const std::string& media, const ArrivedFile& file);
// What it answers, as the agent is told of that; empty: nothing.
std::string quoted_words(const Arrival& arrival);
// Of an edit that comes too late.
std::string edited_words(const std::string& question, bool works);
// What a run wants to do, word for word, and until when it waits; and what came of it.
std::string question_words(const store::Approval& asked);
// Of a typed code that no question has, and of more such than are looked at.
std::string wrong_code_words(const std::string& code);
std::string many_codes_words(std::chrono::seconds wait);
std::string decided_words(const store::Approval& asked);
// The answer of a run that has ended, or why there is none; empty: nothing is to be said.
std::string end_words(const store::Run& run);

}  // namespace server::bridges
