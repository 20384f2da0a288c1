// What hearth bench --speculation has a model write: prose, which repeats little, and what agents write, which repeats much of
// what they were given.
#pragma once

#include <string>
#include <vector>

namespace app {

struct Workload {
    std::string name;
    std::vector<std::string> system;  // one, or none
    std::vector<std::string> asks;    // of a user, each a conversation of its own
};
std::vector<Workload> speculation_workloads();

}  // namespace app
