// What a GGUF has no word for, or leaves out: where the checkpoint that it was made from may say something else than what is
// taken to be so. A file whose family has published models of its shape, whose checkpoints say what is taken, says enough.
// And what a file says that is not followed.
#pragma once

#include <string>
#include <vector>

namespace engine {

struct Config;
class Gguf;

struct Unsaid {
    std::string key;    // or the tensor
    std::string taken;  // what is taken to be so, and when that is wrong
    std::string remedy;
    int beyond = 0;     // shows only in contexts of more tokens than this
    bool left_out = false;  // it is said, and not followed
};

std::vector<Unsaid> unsaid(const Gguf& gguf, const Config& config);

}  // namespace engine
