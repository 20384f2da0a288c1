// The prompts that ship with the program: version 1 of each row in the store.
#pragma once

#include <string>
#include <vector>

namespace prompts {

struct Seed {
    std::string name;  // of the file, without .md
    std::string body;
};
const std::vector<Seed>& seeds();

}  // namespace prompts
