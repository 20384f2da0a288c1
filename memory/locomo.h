// The form of LoCoMo (Maharana et al. 2024): long conversations with questions, of which it is known in which turns their answers
// stand; and what a ranking of those turns is worth. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "memory/rank.h"

namespace memory::locomo {

struct Turn {
    std::string id, speaker, text;   // with what its picture shows, where there is one
    std::string session;
    std::chrono::sys_days said{};
};
struct Asked {
    std::string text;
    std::vector<std::uint32_t> evidence;  // turns, each once, in order
    int category = 0;
};
struct Conversation {
    std::string id;
    std::vector<Turn> turns;
    std::vector<Asked> questions;    // those that have evidence
    std::chrono::sys_days ended{};
};

// One of them, or a list. Evidence that names no turn is left out.
base::Result<std::vector<Conversation>> read(const base::Json& json);

Index index_of(const Conversation& conversation, Context context);

struct Score {
    int category = 0;
    double ndcg_10 = 0, recall_5 = 0, recall_10 = 0;  // of turns
    double session_5 = 0, session_10 = 0;             // recall of sessions, each as good as its best turn
};
// `hits`: all of them, the best first.
Score score(const Conversation& conversation, const Asked& asked, const std::vector<Hit>& hits);

struct Summary {
    std::size_t questions = 0;
    Score micro;                           // means over questions
    double ndcg_10 = 0;                    // mean over categories of the means in them
    std::map<int, double> by_category;     // nDCG@10
};
Summary summary(const std::vector<Score>& scores);

}  // namespace memory::locomo
