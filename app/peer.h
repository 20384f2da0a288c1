// Other programs that run the same model file, for hearth bench --against: llama-bench of llama.cpp and of its forks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace app {

struct Peer {
    std::string name, program;
    std::vector<std::string> flags;  // of the program, beside those of the task
};
// "NAME=PROGRAM", then flags after blanks.
base::Result<Peer> read_peer(std::string_view text);

struct BenchTask {
    std::string file;
    int threads = 1, prefill = 512, decode = 128;  // tokens
    int streams = 0;                               // decoded together; 0: none
};

// Tokens a second.
struct Speeds {
    double prefill = 0, decode = 0, streams = 0;  // streams: of all of them together; 0: not measured
};

// Runs llama-bench, and for streams llama-batched-bench beside it, with huge pages for what they allocate.
base::Result<Speeds> run_peer(const Peer& peer, const BenchTask& task);

// What they print: llama-bench as JSON, llama-batched-bench as a table.
base::Result<Speeds> speeds_of(std::string_view json);
base::Result<double> streams_of(std::string_view table);

}  // namespace app
