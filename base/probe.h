// What a module finds out about the machine it runs on, with the remedy. doctor, /health and the
// dashboard print the same list.
#pragma once

#include <string>
#include <vector>

namespace base {

enum class Health { ok, warning, failed, unknown };

struct Probe {
    std::string name;    // "sandbox level"
    Health health = Health::unknown;
    std::string found;   // "T2: namespaces, seccomp, limits"
    std::string remedy;  // "apt-get install bubblewrap"; empty when ok
};

using Probes = std::vector<Probe>;

}  // namespace base
