// Messages, requests and replies between agents and models. Shapes follow OpenAI's chat API.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/stop.h"
#include "text/given_rules.h"
#include "text/loose_tool.h"

namespace router {

// A part of a message. Text now; images and audio later ride in the same list.
struct Part {
    enum class Kind { text, image, audio } kind = Kind::text;
    std::string text;
    std::string media_type, blob;  // blob: digest in store/blobs
};

struct ToolCall {
    std::string id;         // unique in its conversation
    std::string name;
    std::string arguments;  // JSON text
};

enum class MessageRole { system, user, assistant, tool };

struct Message {
    MessageRole role = MessageRole::user;
    std::vector<Part> parts;
    std::string reasoning;              // assistant
    std::vector<ToolCall> tool_calls;   // assistant
    std::string tool_call_id, name;     // tool
    bool trusted = true;                // false: tool output, documents, strangers

    std::string text() const;           // the text parts joined
    static Message make(MessageRole role, std::string text);
};

struct ToolSchema {
    std::string name, description;
    base::OrderedJson parameters;  // JSON Schema of the arguments
    std::optional<bool> strict{};  // true: arguments are held to it, or the request is refused; false: they are free; unset: held where that can be
    bool operator==(const ToolSchema&) const = default;
};

// The tools of a request. Copies share them: a turn hands the same schemas on from call to call.
class ToolMenu {
public:
    ToolMenu() = default;
    ToolMenu(std::vector<ToolSchema> tools) : tools_(std::make_shared<const std::vector<ToolSchema>>(std::move(tools))) {}
    ToolMenu(std::initializer_list<ToolSchema> tools) : ToolMenu(std::vector<ToolSchema>(tools)) {}

    operator const std::vector<ToolSchema>&() const { return list(); }
    const std::vector<ToolSchema>& list() const;
    auto begin() const { return list().begin(); }
    auto end() const { return list().end(); }
    std::size_t size() const { return list().size(); }
    bool empty() const { return list().empty(); }
    const ToolSchema& operator[](std::size_t i) const { return list()[i]; }
    bool operator==(const ToolMenu& other) const { return tools_ == other.tools_ || list() == other.list(); }

private:
    std::shared_ptr<const std::vector<ToolSchema>> tools_;  // null: none
};

inline constexpr int kMostCalls = 8;  // a model that repeats itself comes to an end

struct ToolChoice {
    enum class Kind { automatic, none, required, named } kind = Kind::automatic;
    std::string name;
    int most = 0;  // calls in one reply; 0: one where a call is forced, else kMostCalls
};

// Unset fields take the model's own defaults.
struct SamplingRequest {
    std::optional<double> temperature, top_p, min_p, repetition_penalty, presence_penalty, frequency_penalty;
    std::optional<int> top_k;
    std::optional<std::uint64_t> seed;
    std::map<int, double> logit_bias;
};

// For whom a model is called: what budgets and usage go by. A nil person has no budget.
struct OnBehalf {
    base::TenantId tenant;
    base::PersonId person;
    std::string agent;                   // its alias; empty: none, a bare model was called
    base::ConversationId conversation;   // nil: none
};

// Who waits for the answer: a person, whoever a schedule tells, nobody before the morning.
enum class Urgency { person, schedule, night };

struct ModelRequest {
    std::string alias;                 // the public name of the served model
    OnBehalf on_behalf;
    Urgency urgency = Urgency::person;  // embedded models compute the more urgent first
    std::vector<Message> messages;
    ToolMenu tools;
    ToolChoice tool_choice;
    std::optional<base::OrderedJson> response_schema;  // output must be JSON of this schema
    bool json_object = false;          // output must be some JSON object
    std::optional<text::GivenRules> response_rules;  // output must be of this language
    // The text must be of this EBNF, root rule "answer", unless it is a call. The rule "words" is there to use: text that is
    // neither empty, nor begins as a JSON object, nor holds a call. A backend without grammars writes freely.
    std::string answer_rules;
    SamplingRequest sampling;
    bool end_circles = false;          // a text that only repeats itself is ended, with finish length; embedded models only
    int max_tokens = 1024;
    int reply_room = 1;                // tokens of the context that must be left; else Error{context_length_exceeded}
    std::vector<std::string> stop_texts;
    std::string begun;                 // the reply begins with this text, which was delivered: what follows it is asked for
    bool enable_thinking = true;
    std::string cache_salt;            // audience; prefixes are shared only within it
    std::string purpose;               // phase or "api": for traces and usage
    base::StopToken stop;
    std::shared_ptr<std::vector<text::LooseTool>> loose;  // where whoever asks wants to be told of them, before the reply begins
};

struct Usage {
    int prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    std::chrono::microseconds queued{0}, prefill{0}, decode{0};
    double cost = 0;                   // by the prices of the backend that answered
    int forced_tokens = 0;             // of the output: its grammar left no choice, they took no step of the model; embedded models only
    Usage& operator+=(const Usage& other);
};

enum class FinishReason { stop, length, tool_calls, cancelled, deadline };

// Why a backend of the chain was passed over.
struct Fallback {
    std::string backend, reason;
};

struct ModelReply {
    Message message;
    FinishReason finish = FinishReason::stop;
    Usage usage;
    std::string backend;           // id of the one that answered
    std::string model;             // its file or upstream name
    std::string profile;           // numeric profile, when embedded
    std::uint64_t seed = 0;        // sampled with, when embedded
    std::vector<Fallback> fallbacks;
};

struct ModelDelta {
    enum class Kind { content, reasoning, tool_call_started, tool_arguments } kind = Kind::content;
    std::string text;              // the name with tool_call_started
    int tool_index = -1;
    std::string tool_id;           // with tool_call_started
};
// Called on the caller's executor, in order.
using DeltaSink = std::function<void(const ModelDelta&)>;

std::string_view name(MessageRole role);
std::string_view name(FinishReason reason);

// OpenAI JSON to Message and back. Unknown roles and part types are errors that name the index.
base::Result<Message> message_from_json(const base::OrderedJson& json, std::size_t index);
base::OrderedJson message_to_json(const Message& message);
base::Result<std::vector<ToolSchema>> tools_from_json(const base::OrderedJson& json);
base::OrderedJson tools_to_json(const std::vector<ToolSchema>& tools);

}  // namespace router
