// A tool: a function and a table row. Permission, time-out, limits, ledger and logging live in
// tools/invoke, once.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/id.h"
#include "base/secret_value.h"
#include "base/stop.h"
#include "net/task.h"
#include "policy/types.h"
#include "router/types.h"

namespace sandbox {
class Launcher;
class Workspace;
}  // namespace sandbox

namespace tools {

struct Ports;  // what a tool may ask of layers above: see ports.h

using OpenSecrets = std::map<std::string, base::SecretValue>;  // by handle, "secret:NAME"

struct ToolContext {
    const policy::Principal& principal;
    sandbox::Workspace* workspace = nullptr;  // null: the turn has none
    sandbox::Launcher* launcher = nullptr;    // null: no sandbox on this machine
    boost::asio::thread_pool& blocking;
    Ports* ports = nullptr;
    base::StopToken stop;                     // carries the call's deadline
    std::size_t result_bytes = 16000;         // what the model gets of a longer text is cut: a tool that can stop there says how to go on
    policy::Integrity label = policy::Integrity::trusted;  // of the turn as the call is made: what it writes is of no better origin
    const router::ToolCall* call = nullptr;   // that is being made
    base::SpanId span{};                      // what hangs from the call hangs from this one
    const OpenSecrets* secrets = nullptr;     // those that the call names, for as long as it runs; its arguments keep the handles. Null: none
};

// Text for the model; structured facts for trace and API.
struct ToolOutput {
    std::string text;
    base::Json facts = base::Json::object();
    bool truncated = false;
    std::vector<std::string> names{};  // of a listing, what it lists: an answer can be held to them
    policy::Integrity integrity = policy::Integrity::untrusted;  // trusted: it tells nothing but our own words and what the call said
};

using Run = net::Task<base::Result<ToolOutput>> (*)(base::Json arguments, ToolContext& context);

struct Tool {
    std::string name;
    std::string purpose;              // what the model reads
    base::OrderedJson input, output;  // JSON Schemas
    std::vector<policy::Scope> scopes;
    policy::Effect effect = policy::Effect::pure;
    std::vector<policy::Permission> permissions;
    std::chrono::milliseconds deadline{30000};
    Run run = nullptr;
    std::string probe{};              // how to find out whether an effect that is in doubt took place: what the model is told
    std::vector<std::string> takes_secrets{};  // arguments in which a text "secret:NAME", alone, stands for that secret; nowhere else does it
};

// Where tools come from: the built-ins are one source; skills, MCP and peers will be others.
class Source {
public:
    virtual ~Source() = default;
    virtual std::vector<const Tool*> list(policy::Scope scope) const = 0;
    virtual const Tool* find(const std::string& name) const = 0;
    // Whether whoever reads this source may call a tool that it finds: an agent's menu is shorter than what there is.
    virtual bool offers(const Tool&) const { return true; }
};

}  // namespace tools
