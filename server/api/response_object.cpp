#include "server/api/response_object.h"

#include <utility>

namespace server::api {
namespace {

using base::Json;
using router::FinishReason;

// A kind of item that holds one part of text, and what its events are called.
struct TextKind {
    const char* item;
    const char* part;
    const char* events;
    const char* prefix;
};
constexpr TextKind kMessage{"message", "output_text", "response.output_text", "msg"};
constexpr TextKind kReasoning{"reasoning", "reasoning_text", "response.reasoning_text", "rs"};

const TextKind& kind_of(const std::string& item) { return item == kReasoning.item ? kReasoning : kMessage; }

std::int64_t seconds(base::TimePoint t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

Json part_of(const TextKind& kind, const std::string& text) {
    Json part = {{"type", kind.part}, {"text", text}};
    if (&kind == &kMessage) part.update({{"annotations", Json::array()}, {"logprobs", Json::array()}});
    return part;
}

Json usage_of(const router::Usage& usage) {
    return {{"input_tokens", usage.prompt_tokens},
            {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
            {"output_tokens", usage.output_tokens},
            {"output_tokens_details", {{"reasoning_tokens", 0}}},
            {"total_tokens", usage.prompt_tokens + usage.output_tokens}};
}

// One of the codes that OpenAI's clients know.
const char* code_of(base::Code code) {
    switch (code) {
        case base::Code::resource_exhausted: return "rate_limit_exceeded";
        case base::Code::invalid_argument:
        case base::Code::context_length_exceeded:
        case base::Code::unsupported: return "invalid_prompt";
        default: return "server_error";
    }
}

bool is_open(const Json& item) { return item["status"] == "in_progress"; }

}  // namespace

ResponseObject::ResponseObject(Json echo, store::ResponseId id, base::TimePoint now, Tell tell) : response_(std::move(echo)), tell_(std::move(tell)) {
    response_["created_at"] = seconds(now);
    response_["completed_at"] = nullptr;
    response_["status"] = "in_progress";
    rename(id);
}

void ResponseObject::rename(store::ResponseId id) {
    id_ = id;
    response_["id"] = store::public_id(id);
}

void ResponseObject::begin() {
    if (std::exchange(begun_, true)) return;
    for (const char* type : {"response.created", "response.in_progress"}) tell(type, {{"response", response_}});
}

void ResponseObject::tell(const std::string& type, Json event) {
    if (!tell_) return;
    event["type"] = type;
    event["sequence_number"] = sequence_++;
    tell_(type, event);
}

Json ResponseObject::at(std::size_t item) const {
    const Json& it = response_["output"][item];
    Json event = {{"output_index", item}, {"item_id", it["id"]}};
    if (it["type"] != "function_call") event["content_index"] = 0;
    return event;
}

std::size_t ResponseObject::open(Json item, const std::string& prefix) {
    Json& output = response_["output"];
    const std::size_t index = output.size();
    item["id"] = prefix + "_" + id_.text() + "_" + std::to_string(index);
    item["status"] = "in_progress";
    output.push_back(item);
    tell("response.output_item.added", {{"output_index", index}, {"item", std::move(item)}});
    return index;
}

void ResponseObject::delta(const router::ModelDelta& delta) {
    using Kind = router::ModelDelta::Kind;
    begin();
    if (delta.kind == Kind::content) add_text(kMessage.item, delta.text);
    if (delta.kind == Kind::reasoning) add_text(kReasoning.item, delta.text);
    if (delta.kind == Kind::tool_call_started) add_call(delta);
    if (delta.kind == Kind::tool_arguments) add_arguments(calls_.at(std::size_t(delta.tool_index)), delta.text);
}

void ResponseObject::add_text(const char* item_kind, const std::string& text) {
    if (text.empty()) return;
    const TextKind& kind = kind_of(item_kind);
    Json& output = response_["output"];
    if (output.empty() || output.back()["type"] != kind.item || !is_open(output.back())) {
        close_all("completed", false);
        Json item = {{"type", kind.item}, {"content", Json::array()}};
        if (&kind == &kMessage) item["role"] = "assistant";
        else item["summary"] = Json::array();
        const std::size_t opened = open(std::move(item), kind.prefix);
        Json event = at(opened);
        event["part"] = part_of(kind, "");
        output.back()["content"].push_back(event["part"]);
        tell("response.content_part.added", std::move(event));
    }
    Json& so_far = output.back()["content"][0]["text"];
    so_far.get_ref<std::string&>() += text;
    Json event = at(output.size() - 1);
    event["delta"] = text;
    if (&kind == &kMessage) event["logprobs"] = Json::array();
    tell(kind.events + std::string(".delta"), std::move(event));
}

void ResponseObject::add_call(const router::ModelDelta& delta) {
    close_all("completed", false);
    calls_.resize(std::max(calls_.size(), std::size_t(delta.tool_index) + 1));
    calls_[std::size_t(delta.tool_index)] = open({{"type", "function_call"}, {"call_id", delta.tool_id}, {"name", delta.text}, {"arguments", ""}}, "fc");
}

void ResponseObject::add_arguments(std::size_t item, const std::string& text) {
    if (text.empty()) return;
    Json& so_far = response_["output"][item]["arguments"];
    so_far.get_ref<std::string&>() += text;
    Json event = at(item);
    event["delta"] = text;
    tell("response.function_call_arguments.delta", std::move(event));
}

void ResponseObject::close(std::size_t index, const char* status) {
    Json& item = response_["output"][index];
    item["status"] = status;
    Json event = at(index);
    if (item["type"] == "function_call") {
        event.update({{"arguments", item["arguments"]}, {"name", item["name"]}});
        tell("response.function_call_arguments.done", std::move(event));
    } else {
        const TextKind& kind = kind_of(item["type"]);
        Json part = event;
        part["part"] = item["content"][0];
        event["text"] = item["content"][0]["text"];
        if (&kind == &kMessage) event["logprobs"] = Json::array();
        tell(kind.events + std::string(".done"), std::move(event));
        tell("response.content_part.done", std::move(part));
    }
    tell("response.output_item.done", {{"output_index", index}, {"item", item}});
}

// Upstreams may write several calls at a time: one whose arguments are no JSON yet is still being written.
void ResponseObject::close_all(const char* status, bool also_unfinished_calls) {
    const Json& output = response_["output"];
    for (std::size_t i = 0; i < output.size(); ++i) {
        if (!is_open(output[i])) continue;
        const bool unfinished = output[i]["type"] == "function_call" && !base::parse_json(output[i]["arguments"].get<std::string>());
        if (also_unfinished_calls || !unfinished) close(i, status);
    }
}

void ResponseObject::comment() {
    Json& output = response_["output"];
    if (output.empty() || !is_open(output.back())) return;
    if (output.back()["type"] == kMessage.item) output.back()["phase"] = "commentary";
    close_all("completed", true);
    answer_ = output.size();
}

std::string ResponseObject::told(const char* kind) const {
    std::string out;
    const Json& output = response_["output"];
    for (std::size_t i = answer_; i < output.size(); ++i)
        if (output[i]["type"] == kind) out += output[i]["content"][0]["text"].get<std::string>();
    return out;
}

void ResponseObject::complete(const std::string& text, const std::string& reasoning, const std::vector<router::ToolCall>& calls) {
    begin();
    const std::string thoughts = told(kReasoning.item), said = told(kMessage.item);
    if (reasoning.starts_with(thoughts)) add_text(kReasoning.item, reasoning.substr(thoughts.size()));
    if (!text.starts_with(said)) comment();  // what was streamed is not what the answer became
    add_text(kMessage.item, text.starts_with(said) ? text.substr(said.size()) : text);
    for (std::size_t i = calls_.size(); i < calls.size(); ++i) {
        add_call({router::ModelDelta::Kind::tool_call_started, calls[i].name, int(i), calls[i].id});
        add_arguments(calls_.back(), calls[i].arguments);
    }
}

void ResponseObject::settle(FinishReason reason, const router::Usage& usage, base::TimePoint now) {
    const bool whole = reason == FinishReason::stop || reason == FinishReason::tool_calls;
    close_all(whole ? "completed" : "incomplete", true);
    response_["status"] = whole ? "completed" : "incomplete";
    if (whole) response_["completed_at"] = seconds(now);
    if (!whole) response_["incomplete_details"] = {{"reason", reason == FinishReason::length ? Json("max_output_tokens") : Json()}};
    response_["usage"] = usage_of(usage);
}

void ResponseObject::fail(const base::Error& error) {
    if (response_["status"] == "failed") return;
    close_all("incomplete", true);
    response_["status"] = "failed";
    response_["incomplete_details"] = nullptr;
    response_["completed_at"] = nullptr;
    response_["error"] = {{"code", code_of(error.code)}, {"message", error.text()}};
}

void ResponseObject::end() { tell("response." + response_["status"].get<std::string>(), {{"response", response_}}); }

Json error_event(const base::Error& error, const Json& param) {
    return {{"type", "error"}, {"code", code_of(error.code)}, {"message", error.text()}, {"param", param}, {"sequence_number", 0}};
}

}  // namespace server::api
