// The command line's way to a running server: HTTP over its Unix socket, with a folder handed along.
#pragma once

#include <csignal>
#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace app {

struct Ask {
    std::string socket, method, path;
    std::string body;         // JSON; may be empty
    int folder = -1;          // an open directory to pass
    std::map<std::string, std::string> fields{};  // of the head, beside the usual ones
};
struct Reply {
    int status = 0;
    std::string body;  // empty when the events were streamed
    std::map<std::string, std::string> fields;  // of the head; names in lower case
};

// One server-sent event; what it does not say is empty.
struct ServerEvent {
    std::string id, name, data;
};
// False stops reading and hangs up.
using EventReader = std::function<bool(const ServerEvent& event)>;

// Set by Ctrl-C once it is caught: a waiting ask_server hangs up, which stops what it asked for.
extern volatile std::sig_atomic_t interrupted;
void catch_interrupts();

// Blocking. With `events`, a text/event-stream is read piece by piece. Error{unavailable} when no server listens.
base::Result<Reply> ask_server(const Ask& ask, const EventReader& events = {});
base::Result<Reply> ask_server(const std::string& socket, const std::string& method, const std::string& path,
                               const base::Json& body, int folder = -1, const EventReader& events = {});

// An answer in JSON: its body. What is not answered with 2xx is the error that it tells of, {not_found} for 404, {conflict}
// for 409, else {unavailable}.
base::Result<base::Json> answer_of(base::Result<Reply> reply);
base::Result<base::Json> ask_server_json(const std::string& socket, const std::string& method, const std::string& path, const base::Json& body = nullptr);

}  // namespace app
