// The dispatcher: the one way from a tool call to its effect. Schema, policy, intent row, the tool
// under its deadline, outcome row, truncation, span. What goes wrong comes back as text that the
// model can act on. Of a run that was taken over, a call with an outcome is not made again, nor one that may
// take effect only once and whose outcome nobody knows.
//
// A call names secrets by their handles, and so do its step, span, events and approval. They are opened for the tool alone,
// once policy has let the call through; what the tool tells is without them before anybody hears it.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"
#include "policy/decide.h"
#include "store/run_writer.h"
#include "tools/rule_book.h"
#include "tools/secrets.h"
#include "tools/tool.h"

namespace tools {

// What is the same for all calls of a run. Outlives them.
struct Dispatch {
    const Source& source;
    store::RunWriter& writer;
    base::SpanSink& spans;
    const base::Clock& clock;
    base::Log& log;
    policy::Scope scope = policy::Scope::home;
    ToolContext context;    // its stop is the run's; each call gets a nearer deadline
    base::StopToken effects;  // stops what may take effect only once: not when the run is merely left
    store::Db& db;
    const RuleBook* rules = nullptr;  // of the house; null: the shipped ones alone
    const Secrets* secrets = nullptr; // null: none is opened
};

enum class CallState {
    done,     // the tool ran and answered
    failed,   // it ran, or could not be started, and says why
    refused,  // by policy; nothing ran
    unknown,  // an at_most_once effect was begun and its end is not known
};
std::string_view name(CallState state);

// Ends a refusal: said to the model, not to the person.
inline constexpr std::string_view kDoWithout = " Do without it, and say so.";

struct CallOutcome {
    CallState state = CallState::failed;
    std::string text;                       // for the model: result or error
    base::Json facts = base::Json::object();
    bool truncated = false;
    std::vector<std::string> names;         // ToolOutput::names
    policy::Integrity integrity = policy::Integrity::trusted;  // of the text; of what the tool brought, as the tool says
    bool executed = false;                  // the tool was entered
    bool mendable = false;                  // it failed, and `text` says what would work
    policy::Effect effect = policy::Effect::pure;
    std::string rule;                       // the policy's
    std::chrono::milliseconds wall{0};
};

// `label` is the turn's integrity so far. Never throws for what a tool does; a lost database throws.
net::Task<CallOutcome> invoke(const Dispatch& dispatch, router::ToolCall call, base::SpanId parent, policy::Integrity label);

// What the policy says of a call: asked here, and nowhere else in tools. `offered`: the source lists the tool; `with_secret`: the call names one.
policy::Decision decide_call(const policy::Principal& who, policy::Scope scope, const Tool& tool, bool offered, bool with_secret, policy::Integrity label, const policy::House& house);

// Whether the person's wish for this tool would be refused by policy; the decision goes into the
// trace like that of a call.
net::Task<policy::Decision> check(const Dispatch& dispatch, std::string tool, base::SpanId parent, policy::Integrity label);

// At most max_bytes of `text`, its beginning and its end around a mark that says what is missing;
// never cuts a UTF-8 sequence.
std::string cut_middle(const std::string& text, std::size_t max_bytes);

}  // namespace tools
