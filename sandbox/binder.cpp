#include "sandbox/binder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sandbox/folder_mounts.h"
#include "sandbox/packed.h"
#include "sandbox/passing.h"

namespace sandbox {
namespace {

// The folder and the words of the command, each ended by a NUL.
std::string command_of(const Request& request) {
    const std::string& below = request.working_directory;
    std::string out = folder_inside(request) + (below.empty() || below == "." ? "" : "/" + below);
    out += '\0';
    for (const std::string& word : request.argv) out.append(word.c_str()) += '\0';
    return out;
}

std::vector<Cover> covers_in(const std::string& bytes) {
    Reader in(bytes);
    std::vector<Cover> out(std::size_t(in.number()));
    for (Cover& cover : out) {
        cover.path = in.text();
        cover.writable = in.number() != 0;
        cover.device = std::uint64_t(in.number());
        cover.inode = std::uint64_t(in.number());
    }
    return out;
}

}  // namespace

void serve_call(int socket, int waiter, int complain) {
    int given[kMostPassed] = {-1, -1, -1, -1, -1, -1}, more[kMostPassed];
    char byte = 0;
    if (take_descriptors(socket, byte, given) < 5) _exit(1);
    const auto request = decode_request(read_file(given[0]));
    if (!request) _exit(1);
    Fd folder;
    std::string problem = mount_folder(given[1], *request, given[5], folder);
    if (take_descriptors(socket, byte, more) != 1) _exit(1);
    if (problem.empty()) problem = cover_folder(*request, folder, covers_in(read_file(more[0])));
    const Fd command = memory_file(command_of(*request));
    const int fds[] = {command.get(), given[2], given[3], given[4]};
    if (problem.empty() && !(command && pass_descriptors(waiter, 'g', fds, 4))) problem = std::string("the command cannot be handed over: ") + std::strerror(errno);
    if (!problem.empty()) dprintf(complain, "%s: %s\n", folder_inside(*request).c_str(), problem.c_str());
    _exit(problem.empty() ? 0 : 1);
}

bool tell_binder(int socket, const Descriptors& call, int mounts) {
    const int fds[] = {call.request.get(), mounts, call.input.get(), call.output.get(), call.environment.get(), call.workspace.get()};
    return pass_descriptors(socket, 'f', fds, call.workspace ? 6 : 5);
}

bool tell_binder(int socket, const std::vector<Overlay>& held) {
    Writer out;
    out.number(std::int64_t(held.size()));
    for (const Overlay& overlay : held) {
        struct stat about{};
        if (fstat(overlay.fd.get(), &about) != 0) return false;
        out.text(overlay.path).number(overlay.writable).number(std::int64_t(about.st_dev)).number(std::int64_t(about.st_ino));
    }
    const Fd covers = memory_file(out.take());
    const int fd = covers.get();
    return covers && pass_descriptors(socket, 'c', &fd, 1);
}

}  // namespace sandbox
