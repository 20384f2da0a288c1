#include "app/listener.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace app {
namespace {

namespace fs = std::filesystem;

// An IP address in the form of /proc/net/tcp and tcp6; "none" for what is not of that family.
std::string hex_of(const std::string& host, int family) {
    unsigned char bytes[16] = {};
    if (inet_pton(family, host.c_str(), bytes) != 1) return "none";
    std::string out;
    for (int at = 0; at < (family == AF_INET ? 4 : 16); at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes + at, sizeof word);
        char text[9];
        std::snprintf(text, sizeof text, "%08X", unsigned(word));
        out += text;
    }
    return out;
}

struct Listener {
    std::string inode, uid;
};

// Those of one table whose address is `wanted` (empty: whatever it is) or every address.
void add_listeners(const fs::path& table, const std::string& wanted, int port, std::vector<Listener>& out) {
    std::ifstream in(table);
    std::string line;
    std::getline(in, line);  // the heading
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
        const auto colon = local.find(':');
        if (state != "0A" || colon == local.npos) continue;
        const std::string address = local.substr(0, colon);
        const bool every = address.find_first_not_of('0') == address.npos;
        if (std::strtol(local.c_str() + colon + 1, nullptr, 16) == port && (every || wanted.empty() || address == wanted)) out.push_back({inode, uid});
    }
}

bool holds(const fs::path& process, const std::vector<std::string>& sockets) {
    std::error_code hidden;
    for (fs::directory_iterator at(process / "fd", hidden), end; !hidden && at != end; at.increment(hidden)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(at->path(), gone).string();
        if (!gone && std::find(sockets.begin(), sockets.end(), target) != sockets.end()) return true;
    }
    return false;
}

}  // namespace

std::string listener_at(const std::string& host, int port, const fs::path& proc) {
    const std::string address = host == "localhost" ? "127.0.0.1" : host;
    const bool every = address == "0.0.0.0" || address == "::";
    std::vector<Listener> found;
    add_listeners(proc / "net/tcp", every ? "" : hex_of(address, AF_INET), port, found);
    add_listeners(proc / "net/tcp6", every ? "" : hex_of(address, AF_INET6), port, found);
    if (found.empty()) return {};
    std::vector<std::string> sockets;
    for (const auto& each : found) sockets.push_back("socket:[" + each.inode + "]");
    std::error_code failed;
    for (fs::directory_iterator at(proc, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string pid = at->path().filename().string();
        if (pid.find_first_not_of("0123456789") != pid.npos || !holds(at->path(), sockets)) continue;
        std::string name;
        std::getline(std::ifstream(at->path() / "comm"), name);
        return (name.empty() ? "a program" : name) + " (pid " + pid + ")";
    }
    return "a program of uid " + found.front().uid;
}

base::Result<void> check_listening(const server::HttpOptions& options) {
    auto free = server::HttpServer::check(options);
    if (free || free.error().code != base::Code::conflict) return free;
    base::Error taken = std::move(free).error();
    const std::string holder = listener_at(options.host, options.port);
    if (!holder.empty()) taken.message += " by " + holder;
    if (holder.rfind("hearth (", 0) == 0)
        taken.remedy = "Hearth itself runs there already: hearth chat talks to it, deploy/run --stop stops it; for a second one set server.port (HEARTH_SERVER_PORT) and state.folder (HEARTH_STATE_FOLDER)";
    return taken;
}

}  // namespace app
