#include "app/model_talk.h"

#include "app/partner.h"

namespace app {
namespace {

using base::Json;

// What has come so far of an answer.
struct Answer {
    std::string text, finish;
    Json usage = Json::object();
};

void take(const Json& chunk, Answer& answer, bool quiet, Turn& turn) {
    if (const auto usage = chunk.find("usage"); usage != chunk.end() && usage->is_object()) answer.usage = *usage;
    for (const Json& choice : chunk.value("choices", Json::array())) {
        const Json delta = choice.value("delta", Json::object());
        const auto piece = delta.find("content"), finish = choice.find("finish_reason");
        if (finish != choice.end() && finish->is_string()) answer.finish = *finish;
        if (piece == delta.end() || !piece->is_string()) continue;
        answer.text += piece->get_ref<const std::string&>();
        if (!quiet) show_told("text", {{"text", *piece}}, turn);
    }
}

}  // namespace

base::Result<Reply> ModelTalk::ask(const std::string& question, bool quiet, Turn& turn) {
    std::vector<Json> messages = messages_;
    messages.push_back({{"role", "user"}, {"content", question}});
    const Json body = {{"model", alias_}, {"messages", messages}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
    Answer answer;
    auto reply = ask_server(socket_, "POST", "/v1/chat/completions", body, -1, [&](const ServerEvent& event) {
        const auto chunk = base::parse_json(event.data);  // the last is none: [DONE]
        if (!chunk || !chunk->is_object()) return true;
        if (chunk->contains("error")) turn.result = *chunk;
        else take(*chunk, answer, quiet, turn);
        return turn.result.is_null();
    });
    if (!reply || answer.finish.empty() || !turn.result.is_null()) return reply;
    turn.ended = true;
    turn.result = {{"response", answer.text}, {"model", alias_}, {"state", answer.finish == "length" ? "partial" : "answered"}, {"tools_used", 0},
                   {"usage", {{"prompt_tokens", answer.usage.value("prompt_tokens", 0)}, {"output_tokens", answer.usage.value("completion_tokens", 0)}}}};
    if (answer.finish == "length") turn.result["error"] = "the answer reached its limit of tokens";
    else if (answer.text.empty()) {
        const std::string agents = agents_of(socket_);
        turn.result["error"] = alias_ + " is a model alone, without tools, and ended its answer without a word";
        turn.result["remedy"] = "ask again in other words" + (agents.empty() ? "" : ", or an agent: " + agents);
    }
    messages.push_back({{"role", "assistant"}, {"content", answer.text}});
    messages_ = std::move(messages);
    return reply;
}

}  // namespace app
