// What server and launcher process say to each other. A request is one datagram on a
// SOCK_SEQPACKET socket that carries descriptors; its fields lie length-prefixed in a memory file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/launcher.h"

namespace sandbox {

struct Request {
    Level level = Level::t2;
    std::vector<std::string> argv;
    std::string working_directory;     // relative, normalised
    std::string root;                  // absolute path of the workspace; empty: none
    bool read_only = false;
    std::vector<std::string> writable; // folders, relative to the workspace, where they exist; empty: all of it
    std::vector<std::string> masked;   // folders and files, relative to the workspace
    std::vector<std::string> held;     // relative paths that are bound read-only where they exist
    std::string repositories;          // GitFolders::packed(), should the server not live to look after them
    Limits limits;
};

// Descriptors of a request, in this order; `workspace` may be absent. What `environment` holds (Command::environment) is read in the
// sandbox and nowhere on the way.
struct Descriptors {
    Fd request, input, output, control, environment, workspace;
};

struct Report {
    int exit_code = -1;
    bool timed_out = false, out_of_memory = false, memory_by_group = false;
    std::string failure;               // why the program could not be started; empty when it ran
    bool not_found = false;            // the program itself is missing
    bool was_ready = false;            // the sandbox, before the request came
    std::chrono::microseconds wall{0};
};

std::string encode(const Request& request);
std::optional<Request> decode_request(const std::string& bytes);
std::string encode(const Report& report);
std::optional<Report> decode_report(const std::string& bytes);

// A memory file that holds `content`, its offset at the start. Empty on failure.
Fd memory_file(std::string_view content);
std::string read_file(int fd);         // from its start

bool send_descriptors(int socket, const Descriptors& descriptors);
// Empty at end of file or on a malformed datagram; `closed` tells which.
std::optional<Descriptors> receive_descriptors(int socket, bool& closed);

}  // namespace sandbox
