#include "agents/journal.h"

#include "router/usage.h"
#include "store/digest.h"

namespace agents {
namespace {

using base::Code;
using base::Json;
using router::FinishReason;

router::Message message_of(const Json& json) {
    router::Message message;
    message.role = router::MessageRole::assistant;
    if (const auto content = json.find("content"); content != json.end() && content->is_string())
        message.parts.push_back({router::Part::Kind::text, content->get<std::string>(), {}, {}});
    message.reasoning = json.value("reasoning_content", "");
    for (const Json& call : json.value("tool_calls", Json::array()))
        message.tool_calls.push_back({call.value("id", ""), call.at("function").value("name", ""), call.at("function").value("arguments", "")});
    return message;
}

}  // namespace

router::SamplingRequest sampling_from_json(const Json& json) {
    router::SamplingRequest s;
    for (const auto& [field, value] : {std::pair{"temperature", &s.temperature}, {"top_p", &s.top_p}, {"min_p", &s.min_p},
                                       {"repetition_penalty", &s.repetition_penalty}, {"presence_penalty", &s.presence_penalty},
                                       {"frequency_penalty", &s.frequency_penalty}})
        take(json, field, *value);
    take(json, "top_k", s.top_k);
    take(json, "seed", s.seed);
    return s;
}

Json usage_to_json(const router::Usage& usage) {
    return {{"prompt_tokens", usage.prompt_tokens},      {"cached_tokens", usage.cached_tokens},
            {"output_tokens", usage.output_tokens},      {"queued_us", usage.queued.count()},
            {"prefill_us", usage.prefill.count()},       {"decode_us", usage.decode.count()},
            {"forced_tokens", usage.forced_tokens}};
}

router::Usage usage_from_json(const Json& json) {
    const auto time = [&](const char* field) { return std::chrono::microseconds(json.value(field, std::int64_t(0))); };
    router::Usage usage;
    usage.prompt_tokens = json.value("prompt_tokens", 0);
    usage.cached_tokens = json.value("cached_tokens", 0);
    usage.output_tokens = json.value("output_tokens", 0);
    usage.queued = time("queued_us");
    usage.prefill = time("prefill_us");
    usage.decode = time("decode_us");
    usage.forced_tokens = json.value("forced_tokens", 0);
    return usage;
}

Code parse_code(const std::string& name) {
    for (int code = 0; code < int(Code::internal); ++code)
        if (name == base::name(Code(code))) return Code(code);
    return Code::internal;
}

FinishReason parse_finish(const std::string& name) {
    for (const FinishReason reason : {FinishReason::length, FinishReason::tool_calls, FinishReason::cancelled, FinishReason::deadline})
        if (name == router::name(reason)) return reason;
    return FinishReason::stop;
}

Json outcome_of(const base::Result<router::ModelReply>& reply) {
    if (!reply) return {{"error", reply.error().message}, {"remedy", reply.error().remedy}, {"code", base::name(reply.error().code)}};
    return {{"message", Json(router::message_to_json(reply->message))},
            {"finish", router::name(reply->finish)},
            {"usage", usage_to_json(reply->usage)},
            {"backend", reply->backend},
            {"model", reply->model},
            {"profile", reply->profile},
            {"seed", reply->seed},
            {"fallbacks", router::fallbacks_json(reply->fallbacks)}};
}

base::Result<router::ModelReply> reply_of(const Json& outcome) {
    try {
        if (outcome.contains("error"))
            return base::error(parse_code(outcome.value("code", "")), outcome["error"].get<std::string>(), outcome.value("remedy", ""));
        router::ModelReply reply;
        reply.message = message_of(outcome.at("message"));
        reply.finish = parse_finish(outcome.value("finish", ""));
        reply.usage = usage_from_json(outcome.value("usage", Json::object()));
        reply.backend = outcome.value("backend", "");
        reply.model = outcome.value("model", "");
        reply.profile = outcome.value("profile", "");
        reply.seed = outcome.value("seed", std::uint64_t(0));
        for (const Json& passed : outcome.value("fallbacks", Json::array())) reply.fallbacks.push_back({passed.value("backend", ""), passed.value("reason", "")});
        return reply;
    } catch (const Json::exception& e) {
        return base::error(Code::corrupt, std::string("a stored reply of a model cannot be read: ") + e.what());
    }
}

std::string digest_of(const router::ModelRequest& request, const base::Redactor& redactor) {
    std::string all;
    const auto add = [&](std::string_view text) {
        const std::string piece = redactor.redacted(std::string(text));
        all += std::to_string(piece.size()) + ':';
        all += piece;
    };
    for (const auto& message : request.messages) {
        add(router::name(message.role));
        add(message.text());
        add(message.reasoning);
        add(message.name);
        add(message.tool_call_id);
        for (const auto& call : message.tool_calls) add(call.id), add(call.name), add(call.arguments);
    }
    for (const auto& tool : request.tools) add(tool.name), add(tool.description), add(tool.parameters.dump());
    if (request.response_schema) add(request.response_schema->dump());
    add(request.answer_rules);
    return store::sha256_hex(all);
}

}  // namespace agents
