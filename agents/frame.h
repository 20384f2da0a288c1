// One run under way: what its phases and its loop share, and the one way from them to a model.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/menu.h"
#include "agents/service.h"
#include "agents/standing_orders.h"
#include "agents/turn.h"
#include "agents/zone.h"
#include "base/trace.h"
#include "prompts/render.h"
#include "store/collections.h"
#include "store/prompts.h"
#include "store/run_writer.h"
#include "store/scratchpad.h"
#include "tools/invoke.h"
#include "tools/ports.h"

namespace memory {
class PersonIndexes;
}

namespace agents {

class LiveEvents;
struct Inputs;

// What is kept beside the messages that a prompt repeats.
struct AtHand {
    std::vector<store::Collection> collections{};  // of the person
    std::optional<store::Scratchpad> note{};       // of the conversation
};

// Those who read an answer, where others than the person do.
struct Company {
    base::AudienceId group;
    memory::PersonIndexes& memory;
};

struct Frame {
    Frame(const Parts& p, const Options& o, store::RunWriter w) : parts(p), options(o), who(w.who()), run(w.run()), writer(std::move(w)) {}

    const Parts& parts;
    const Options& options;
    policy::Principal principal;
    store::Identity who;
    const AgentRow* row = nullptr;          // whose steps are being made now
    std::shared_ptr<const Menu> menu;
    std::string within;           // what the keys of steps begin with: the call by which that agent was asked, and "/"
    base::RunId run;
    store::RunWriter writer;
    base::ConversationId conversation;
    base::SpanId root;            // the run's own span: parent of all
    base::TimePoint began;        // when the run did, whoever holds it now
    std::string zone;             // by which its day is told: the household's
    base::StopToken stop;         // stopped by a person, at the run's deadline, or to be left
    base::StopToken effects;      // the same but for being left: what may take effect only once is waited for
    EventSink sink;
    std::shared_ptr<LiveEvents> told;   // what the run tells to whoever listens elsewhere
    std::shared_ptr<Inputs> inputs;     // what people add meanwhile
    memory::PersonIndexes* memory = nullptr;  // null: others read the answer, and nothing of the person's own is recalled
    std::optional<Company> company;           // but what was told before them
    std::optional<store::EventId> told_before;  // of a run that was taken over: what its earlier holder told stands until there
    std::optional<router::ExecutionClass> execution;  // asked for by the client
    base::RunId forked_from;
    base::StepId forked_step;
    std::optional<ChatRequest::Child> child;  // another run has spawned it
    std::shared_ptr<sandbox::Workspace> workspace;
    WriteTier write_tier = WriteTier::code;  // of it
    std::string instructions;     // of the client, for this run
    std::vector<router::ToolSchema> client_tools;
    router::SamplingRequest sampling;
    int output_budget = 0;        // tokens of the whole run
    bool asked_tokens = false;    // the client set it
    bool plain = false;           // the person wants replies without formulas, tables, code
    std::string effort = "auto";  // the person's setting: the least class of a turn
    std::map<std::string, store::Prompt> prompts;  // the live ones, read at the start
    AtHand at_hand;
    StandingOrders standing;            // directives and tone, as they were then

    Sums sums;
    std::vector<std::string> sent;  // the messages of the last model call, for the trace
    router::ToolMenu sent_tools;

    void emit(ChatEvent event) const;
    int tokens_left() const { return output_budget - sums.usage.output_tokens - sums.carved_tokens; }
};

// The live prompt, filled. Error{not_found} naming the prompt whose row is missing.
base::Result<std::string> prompt(const Frame& frame, const std::string& name, const prompts::Variables& variables = {});
// Of all prompts that a run of the agent reads, and of those that it may ask.
std::vector<std::string> prompt_names(const Cast& cast, const std::string& agent);
Zone household_clock(const Frame& frame);
// What prompts are filled with that say who an agent is, and what day it is.
prompts::Variables prompt_variables(const Frame& frame);

// A ledgered model call: intent row, gateway, outcome row (see RunWriter::end), span; or what it brought when the run's
// journal has it. The request's purpose names span
// and step; its max_tokens is lowered to what the run has left, and Error{resource_exhausted} when
// nothing is. Tool results that do not fit into the model's context are cut, the longest first; Error
// {context_length_exceeded} when there is none left to cut. A reply that was stopped is a reply (see its finish); Error{cancelled|deadline} when
// there is nothing of it.
net::Task<base::Result<router::ModelReply>> model_step(Frame& frame, router::ModelRequest request, base::SpanId parent,
                                                       router::DeltaSink sink = {});

// For tools/invoke. `ports` and frame outlive the dispatch.
tools::Dispatch dispatch_of(Frame& frame, tools::Ports& ports, const base::StopToken& stop);

base::Span span_of(const Frame& frame, base::SpanId id, base::SpanId parent, const char* kind, const std::string& name);
std::chrono::microseconds since(const Frame& frame, base::SteadyPoint start);

}  // namespace agents
