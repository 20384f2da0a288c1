// A process that lives until it is killed: it goes on with what an earlier one left, and begins a run of its own.
#pragma once

#include <filesystem>
#include <string>

#include "kill_point.h"
#include "store/db.h"

namespace kill_matrix {

struct Case {
    const char* alias;
    const char* question;
};
inline constexpr Case kCases[] = {
    {"hearth/dev", "Do all of it in the folder."},
    {"hearth", "Compare a.txt with b.txt and explain step by step which one is better for us."},
};
inline constexpr int kCaseCount = 2;

struct Setting {
    std::string url;               // of role hearth_app
    store::Identity who;
    base::NodeId node;             // of whose runs it takes up those that were left
    std::filesystem::path folder;  // holds "effects/RUN": a line for each effect of that run; and its workspaces
};

// What such a process does (in_a_process()). `left`: a run to be gone on with first, nil when there is none; `fresh`: what is begun then, null when nothing is.
void live(const Setting& setting, Record& record, base::RunId left, const Case* fresh);

}  // namespace kill_matrix
