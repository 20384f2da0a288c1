#include "sandbox/spec.h"

#include <sys/stat.h>
#include <unistd.h>

#include <tuple>

#include "sandbox/bwrap_args.h"

namespace sandbox {
namespace {

auto made_of(const Spec& spec) {
    const Limits& l = spec.limits;
    return std::tie(spec.owner.uid, spec.owner.gid, l.memory_bytes, l.processes, l.file_bytes, l.tmp_bytes, l.open_files, spec.host);
}

// A file that is put in another's place is gone from a sandbox that has it bound; one that is written to stays old where it was copied.
std::string state_of(const std::string& path) {
    struct stat about{};
    if (stat(path.c_str(), &about) != 0) return path + " absent;";
    std::string out = path;
    for (const long part : {long(about.st_dev), long(about.st_ino), long(about.st_mtim.tv_sec), long(about.st_mtim.tv_nsec)}) out += " " + std::to_string(part);
    return out + ";";
}

}  // namespace

bool Spec::serves(const Spec& wanted) const { return made_of(*this) == made_of(wanted); }

Spec spec_for(const Limits& limits, int workspace) {
    Spec spec;
    spec.limits = limits;
    struct stat about{};
    if (geteuid() != 0) spec.owner = {geteuid(), getegid()};
    else if (workspace >= 0 && fstat(workspace, &about) == 0) spec.owner = {about.st_uid, about.st_gid};
    spec.host = state_of("/usr") + state_of("/etc/localtime");
    for (const std::string& path : visible_etc()) spec.host += state_of(path);
    return spec;
}

}  // namespace sandbox
