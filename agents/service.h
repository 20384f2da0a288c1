// The face of the agents towards server, bridges and CLI: one chat request in, events and one
// result out.
//
// The input (message and run rows) is committed before any model is called; from then on the run
// has an id and a final state, and whatever goes wrong is told in ChatResult, not as an Error.
//
// The turns of one conversation run one after the other, in the order in which they came, whichever
// process serves them: a second one waits until the first has ended, as a person expects who writes
// two messages in a row, and its input is committed only then, so that histories never interleave.
// It waits as long as one run may take, then it is Error{conflict}; with 16 waiting already it is
// {resource_exhausted} at once. Its own stop ends the waiting. That is the rule `queue`; a thread may have another one (store/threads.h): of a message
// that a run reads which works already, the result is that run's.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/cast.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/stop.h"
#include "net/task.h"
#include "policy/types.h"
#include "router/admission.h"
#include "router/types.h"
#include "sandbox/workspace.h"
#include "store/db.h"
#include "store/run_events.h"
#include "store/signals.h"
#include "store/threads.h"

namespace memory {
class PersonIndexes;
}
namespace router {
class Gateway;
class NodeMetrics;
}
namespace sandbox {
class Launcher;
}
namespace store {
class TraceSink;
}
namespace tools {
class RuleBook;
class Secrets;
class Source;
}

namespace agents {

// How much of its folder a coder's run may change.
enum class WriteTier {
    prompts,  // what lies in prompts/
    skills,   // and in skills/
    code,     // everything that is not protected
};
std::string_view name(WriteTier tier);
std::optional<WriteTier> parse_write_tier(std::string_view text);

struct ChatRequest {
    policy::Principal principal;
    std::string alias;                 // of an agent
    std::vector<base::Json> messages;  // OpenAI shape; at least one, the last from user or tool
    std::string instructions;          // for this run alone: they rank as the person's words, stand before the last of them, and are not in the conversation

    // Nil: a new conversation. Else `messages` may begin with the stored history (or hold only what
    // is new); what follows it is appended. A differing history is Error{conflict} naming the
    // message; an unknown or another person's conversation is Error{not_found}.
    base::ConversationId conversation;
    base::RunId newest;                // that the conversation's newest answer must be of, unless nil; else Error{conflict}: it went on
    bool before_others = false;        // the answer is read by others too: what is the person's own, remembered or in files, stays out of it
    std::string channel = "api";       // where a new conversation comes from: "api", "cli", …

    // The folder that the tools see: opened by the caller (from a descriptor), else the path, else
    // the conversation's own, else workspace_root/PERSON/CONVERSATION.
    std::shared_ptr<sandbox::Workspace> workspace;
    std::string workspace_path;
    bool workspace_read_only = false;
    WriteTier write_tier = WriteTier::code;  // set with the request, and by nothing in the run
    std::string workspace_identity;    // the folder that a path is opened as must be this one (agents/session.h), unless empty
    // The conversation's own is a folder of this machine that an earlier request named: Error{permission_denied}
    // for whoever may name none.
    bool may_name_folders = false;

    // Tools that the client runs: a call of one ends the turn in state waiting_client with the calls
    // in ChatResult::client_calls; the results come as tool messages of a later request. A name of a
    // built-in tool is Error{invalid_argument}.
    std::vector<router::ToolSchema> client_tools;

    std::map<std::string, int> prompts;  // versions to read in place of the live ones, to try them out; one that is not there is Error{invalid_argument}
    router::SamplingRequest sampling;  // for the answer; unset fields take the phase's own
    int max_tokens = 0;                // of the whole run's output; 0: the configured budget
    std::chrono::seconds deadline{0};  // when that is less than the configured one; 0: that
    std::optional<router::ExecutionClass> execution;  // what the pipeline would find out by itself
    bool joins = true;                 // a run that works already may read it, where that is the thread's rule; what is kept of the request alone would be lost
    bool ends_with_client = false;     // `stop` stops when its client goes away: after a crash nobody goes on with the run
    base::StopToken stop;              // the request's: cancel on disconnect only when that is wanted

    // Of a run that begins where another one was (see Agents::fork): that run and its step, and the conversation whose folder it works in.
    base::RunId forked_from;
    base::StepId forked_step;
    base::ConversationId folder_of;

    // Of the thread over the conversation, from now on; unset: as it is, of a new one Rule::queue and no name.
    std::optional<store::Rule> rule;
    std::optional<std::string> label;
    // Of a run that another one has spawned: what it may spawn itself, and whether its task was made from untrusted text.
    struct Child {
        base::RunId parent;
        int level = 1;               // how far down it is
        int depth = 0, threads = 0;  // how far down and how many it may spawn
        bool untrusted = false;
    };
    std::optional<Child> child;
};

struct ChatEvent {
    enum class Kind {
        run_started,  // run, conversation: the input is committed
        phase,        // name: a phase of the pipeline begins
        text,         // text: a piece of the answer
        reasoning,    // text
        tool_call,    // name, id, data = arguments: about to run
        tool_result,  // name, id, text, data = {"ok", "ms", "truncated", …}
        input,        // text: what a person added, and the run reads now
        done,         // data = {"final_state", "error"}; the last event
    };
    Kind kind = Kind::text;
    std::string name, id, text;
    base::Json data = base::Json::object();
    base::RunId run;
    base::ConversationId conversation;
};
std::string_view name(ChatEvent::Kind kind);
base::Json data_of(const ChatEvent& event);  // as clients read it

// Called in order on the executor that chat() runs on; must not block.
using EventSink = std::function<void(const ChatEvent&)>;

struct ChatResult {
    base::RunId run;
    base::ConversationId conversation;
    std::string response;              // what the person reads; with a state other than answered: what there is
    std::string reasoning;             // the model's thoughts of it, where it gives them
    int tools_used = 0;                // executed calls
    router::Usage usage;               // of all model calls
    std::string final_state;           // answered | partial | cancelled | refused | unknown_effect | no_backend | failed | waiting_client; interrupted: it
                                       // has not ended, and goes on when the server or its database is back
    router::FinishReason finish = router::FinishReason::stop;
    std::vector<router::ToolCall> client_calls;
    std::string model;                 // that wrote the answer
    base::Error error{};               // why, when the state is no_backend, failed, partial, …; message empty when answered
};

// One of a run's events as it is told to whoever listens: a ChatEvent's kind and data; also `resumed`, `waiting` (for a person's
// word), and last `done`.
struct ToldEvent {
    store::EventId id;
    std::string name;
    base::Json data;
};

// Listens to a run.
class EventReader {
public:
    virtual ~EventReader() = default;
    // What comes next, as soon as there is something; nothing after so long, or when it is over.
    virtual net::Task<std::vector<ToldEvent>> next(std::chrono::milliseconds patience) = 0;
    // `done` was told, the client is gone, or the process ends.
    virtual bool over() const = 0;
};

// A run that is to be begun by whichever process comes to it first.
struct Submission {
    ChatRequest chat;
    base::Json metadata;      // the client's own; null: none
    std::string key, digest;  // of the request, when it may be sent again; key empty: it has none
    // Part of the transaction that takes it in; where that fails, it is not taken in.
    std::function<base::Result<void>(store::Tx&, base::RunId)> within{};
};
struct Submitted {
    base::RunId run;
    bool known = false;       // the request was sent before, and this is the run that it began
    bool joined = false;      // the run works already, and reads what was sent (store::Rule::steer)
    std::vector<base::RunId> stopping{};  // runs that it interrupts
};

base::Error key_taken(const std::string& key, base::RunId run);  // it came with another request before

// How much help a model needs to call tools rightly.
enum class ToolDiscipline {
    free,    // tools in the template, the model decides and writes the call
    guided,  // worked examples before the request; the decision whether to call, and the call, bound by grammar
};

struct Options {
    std::string model = "default";                   // alias of every phase that names none
    std::string embedding;                           // alias of the model that makes vectors of what is remembered; empty: none does
    std::map<std::string, std::string> phase_alias;  // "intake" → alias (HEARTH_BACKEND_INTAKE and its siblings)
    std::map<std::string, ToolDiscipline> discipline;  // by alias; others take default_discipline
    ToolDiscipline default_discipline = ToolDiscipline::guided;

    int window = 20;                   // messages of a conversation that a prompt repeats: what is older is recalled
    int max_rounds = 10;               // model calls with tools in one agent loop
    int max_output_tokens = 8192;      // of one run
    int max_tool_result_chars = 16000; // of one result, as the model sees it
    std::chrono::seconds run_deadline{600};

    std::shared_ptr<const Cast> cast = shipped_cast();
    std::filesystem::path workspace_root;            // holds PERSON/CONVERSATION
    bool shared_workspaces = false;                  // workspace_root is the same folder on every node of the database
    std::vector<std::filesystem::path> masked;       // what no workspace shows
};

// What the agents stand on; all outlive them. The sandbox may be missing.
struct Parts {
    router::Gateway& gateway;
    store::Db& db;
    store::TraceSink& traces;
    const tools::Source& tools;
    sandbox::Launcher* launcher = nullptr;
    boost::asio::thread_pool& blocking;
    const base::Clock& clock;
    base::Log& log;
    base::Metrics& metrics;
    const tools::RuleBook* rules = nullptr;  // of the house; null: the shipped ones alone
    const tools::Secrets* secrets = nullptr; // null: no call is given one
    std::function<std::string()> surroundings{};  // of the process beside its models, a line each that begins "- ": where it listens, what it stands on
    router::NodeMetrics* nodes = nullptr;    // what the phases cost; null: heavy stays heavy
};

store::Identity identity_of(const policy::Principal& principal);

// What a consolidation of somebody's memory has done.
struct Consolidated {
    int episodes = 0, segments = 0;  // made, and of how many segments
    int facts = 0, read = 0;         // noted, and how many segments were read for them
    int sections = 0;                // of documents that were read for them, too
    int vectors = 0;                 // made
    bool done = false;               // there is nothing left for any of them
    base::Error trouble{};           // why it ended before, or passed some over; message empty: it did not
};

class Agents {
public:
    Agents(Parts parts, Options options);
    ~Agents();  // every chat() and what resume_interrupted() began must have ended: leave_all() first

    // Runs to the end whether or not anybody listens. Errors only for what is refused before the
    // input is committed: invalid_argument, not_found, conflict, permission_denied, unavailable
    // (no model can answer), and of waiting for an earlier turn resource_exhausted, cancelled, deadline.
    net::Task<base::Result<ChatResult>> chat(ChatRequest request, EventSink sink);

    // Takes a run in: committed when it returns, begun later, also when no model answers now. Refused as in chat(), and {unavailable}
    // with kMostQueued that nobody has begun; Error{conflict} of a key that came with another request.
    static constexpr int kMostQueued = 1000;
    net::Task<base::Result<Submitted>> submit(Submission submission);
    // What a run is asked that nobody has begun. False: somebody has, or there is no such run of this person.
    net::Task<bool> amend(policy::Principal who, base::RunId run, std::vector<base::Json> messages);
    // A new run of the same person that begins where that one was after its step (an id, or a position), which has an outcome; its
    // steps until then are not made again. `text` is added to it.
    net::Task<base::Result<base::RunId>> fork(policy::Principal who, base::RunId run, std::string step, std::string text);
    // Its events after that one; null: there is no such run of this person. Ends with `gone`.
    net::Task<std::unique_ptr<EventReader>> listen(policy::Principal who, base::RunId run, store::EventId after, base::StopToken gone);

    // Asks a run to stop, whichever process holds it; from then on no step of it begins. False: there is no such run of this
    // person that has not ended.
    net::Task<bool> stop(policy::Principal who, base::RunId run);
    // Cancels a thread: its children first, then its runs, also those that nobody has begun; it takes no message any more. False: there is no such
    // thread of this person that has not ended.
    net::Task<bool> stop_thread(policy::Principal who, base::ConversationId thread);
    // What another process told. Thread-safe; waits for the database where signals were missed.
    void heard(const store::Signal& signal);
    void stop_all();  // those that wait for their turn too
    int active() const;
    const Cast& cast() const;
    memory::PersonIndexes& memory();
    // Sums up what the person's conversations hold (agents/consolidate.h), notes facts of it (agents/note_facts.h) and makes vectors (agents/embed_memory.h), until nothing is left or `stop`, which carries the deadline. For a batch
    // that nobody waits for.
    net::Task<Consolidated> consolidate(store::Identity who, base::StopToken stop);

    // Begins the runs that were taken in, and goes on with those whose process went away, as far as this node can (some at a time),
    // until they end: on the caller's executor, from now on. Nothing while no model answers.
    net::Task<void> resume_interrupted();
    // At the end of the process: runs are left as they are, for this or another process to go on with; only an effect
    // that may take place once is waited for. Thread-safe.
    void leave_all();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace agents
