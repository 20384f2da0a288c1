#include "prompts/prompts.h"

#include "base/embedded.h"

namespace prompts {

extern const base::EmbeddedFile seed_files[];
extern const unsigned long seed_files_count;

const std::vector<Seed>& seeds() {
    static const std::vector<Seed> all = [] {
        std::vector<Seed> out;
        for (unsigned long i = 0; i < seed_files_count; ++i) {
            const std::string file = seed_files[i].name;
            out.push_back({file.substr(0, file.rfind('.')), std::string(seed_files[i].text, seed_files[i].size)});
        }
        return out;
    }();
    return all;
}

}  // namespace prompts
