// What a file says. Whoever made it may want more than to be read: nothing but UTF-8 is looked at in this process; a program in the sandbox reads the
// rest (read_document.py), without a network, and bounded in memory, time and output.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>

#include "base/probe.h"
#include "base/result.h"
#include "net/task.h"

namespace sandbox {
class Launcher;
}

namespace memory {

inline constexpr std::size_t kMostOfDocument = 4 << 20;  // bytes of text that are remembered of one file

class Reader {
public:
    // `window`: the tokens of the context of whichever model is shown what files say; 0: nobody says. `launcher` null: there is no sandbox.
    Reader(sandbox::Launcher* launcher, boost::asio::thread_pool& blocking, std::function<int()> window) : launcher_(launcher), blocking_(blocking), window_(std::move(window)) {}

    struct Said {
        std::string text;
        bool cut = false;  // that is its beginning
    };
    // At most `most` bytes of it. `name`: what errors call the file. Error{unsupported}: nothing reads that type; {permission_denied}: it is locked; {not_found}: there
    // are no words in it; {corrupt}: it is damaged, or not of that type; {resource_exhausted}: it takes too much; {unavailable}: what reads it is missing.
    net::Task<base::Result<Said>> read(std::string type, std::string name, std::string bytes, std::size_t most) const;

    // Bytes of one file that a model is shown at once: half of what it can read.
    std::size_t most_shown() const;

private:
    sandbox::Launcher* launcher_;
    boost::asio::thread_pool& blocking_;
    std::function<int()> window_;
};

// The programs that read.
base::Probes reader_probes();

}  // namespace memory
