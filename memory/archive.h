// What was said, and its summaries, beside the database: a git repository for each person under STATE/archive, a Markdown file for each segment and episode. What
// stands above a file's text (ids, run, times) is plain, the text is sealed by a key of its conversation that lies in the database, so that whoever deletes the key has forgotten
// it in all of history.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/stop.h"
#include "net/task.h"
#include "store/archive.h"

namespace memory {

struct Archived {
    int segments = 0, episodes = 0, commits = 0;
};
// The person's that are not in it yet, a commit for each thousand: the files, then the commit, then the mark of their rows. Whoever was killed between is repeated, finds his
// files there and makes no second commit. `folder`: of all archives.
net::Task<base::Result<Archived>> archive(store::Db& db, store::Identity who, std::filesystem::path folder, base::StopToken stop);

struct ArchivedText {
    std::string kind, conversation, run, began, ended;  // run: empty, of none
    std::string text;
};
// By the id of a segment or an episode, whether or not its row is still there. Error{not_found}: there is no such file, or its key is gone. {corrupt}: it is not what was sealed.
base::Result<ArchivedText> archived_text(store::Tx& tx, const std::filesystem::path& folder, const base::Uuid& id);

}  // namespace memory
