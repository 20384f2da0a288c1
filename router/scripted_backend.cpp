#include "router/scripted_backend.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

namespace router {
namespace {

using base::Code;

// Characters / 4: a scripted model has no tokenizer, and tests only need counts that grow with the text.
int rough_tokens(const ModelRequest& request) {
    std::size_t characters = 0;
    for (const auto& message : request.messages) characters += message.text().size() + 16;
    return int(characters / 4);
}

// The text word by word, blanks kept, as a model streams it.
std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> out;
    std::size_t start = 0;
    for (std::size_t i = 1; i <= text.size(); ++i)
        if (i == text.size() || (text[i] == ' ' && text[i - 1] != ' ')) {
            out.push_back(text.substr(start, i - start));
            start = i;
        }
    return out;
}

net::Task<bool> wait_unless_stopped(std::chrono::milliseconds time, base::StopToken stop) {
    const auto until = std::chrono::steady_clock::now() + time;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!stop.stopped() && std::chrono::steady_clock::now() < until) {
        const auto slice = std::min<std::chrono::steady_clock::duration>(std::chrono::milliseconds(5),
                                                                         until - std::chrono::steady_clock::now());
        timer.expires_after(slice);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return !stop.stopped();
}

void send(const DeltaSink& sink, ModelDelta::Kind kind, std::string text, int index = -1, std::string id = {}) {
    if (sink) sink({kind, std::move(text), index, std::move(id)});
}

}  // namespace

ScriptedBackend::ScriptedBackend(std::string id, std::vector<ScriptedReply> replies, Script script)
    : id_(std::move(id)), script_(std::move(script)), replies_(replies.begin(), replies.end()) {
    status_.state = BackendStatus::State::ready;
}

BackendStatus ScriptedBackend::status() const {
    std::lock_guard lock(mutex_);
    return status_;
}

void ScriptedBackend::set_status(BackendStatus status) {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
}

base::SteadyPoint ScriptedBackend::not_before() const {
    std::lock_guard lock(mutex_);
    return not_before_;
}

void ScriptedBackend::set_not_before(base::SteadyPoint at) {
    std::lock_guard lock(mutex_);
    not_before_ = at;
}

void ScriptedBackend::set_unreachable(std::optional<base::Error> why) {
    std::lock_guard lock(mutex_);
    unreachable_ = std::move(why);
}

net::Task<base::Result<void>> ScriptedBackend::look() {
    std::lock_guard lock(mutex_);
    if (unreachable_) co_return *unreachable_;
    co_return base::Result<void>();
}

void ScriptedBackend::push(ScriptedReply reply) {
    std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
}

std::vector<ModelRequest> ScriptedBackend::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

int ScriptedBackend::cancelled() const {
    std::lock_guard lock(mutex_);
    return cancelled_;
}

ScriptedReply ScriptedBackend::next(const ModelRequest& request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    ScriptedReply reply;
    if (!replies_.empty()) {
        reply = std::move(replies_.front());
        replies_.pop_front();
    } else if (script_) {
        reply = script_(request);
    } else {
        reply.error = base::error(Code::unavailable, "the script of '" + id_ + "' has no more replies");
    }
    for (auto& call : reply.tool_calls)
        if (call.id.empty()) call.id = "call_" + std::to_string(++calls_);
    return reply;
}

net::Task<base::Result<ModelReply>> ScriptedBackend::generate(ModelRequest request, DeltaSink sink) {
    ScriptedReply script = next(request);
    const bool undisturbed = co_await wait_unless_stopped(script.delay, request.stop);
    const bool says_nothing = script.text.empty() && script.reasoning.empty() && script.tool_calls.empty();
    if (script.error && says_nothing && undisturbed) co_return *script.error;
    ModelReply reply;
    reply.backend = id_;
    reply.model = "scripted";
    reply.message.role = MessageRole::assistant;
    reply.usage.prompt_tokens = rough_tokens(request);
    bool stopped = !undisturbed;
    if (!script.reasoning.empty() && !stopped) send(sink, ModelDelta::Kind::reasoning, script.reasoning);
    reply.message.reasoning = script.reasoning;
    std::string said;
    for (auto& word : words(script.text)) {
        if (stopped) break;
        said += word;
        ++reply.usage.output_tokens;
        send(sink, ModelDelta::Kind::content, word);
        if (script.delta_delay.count() > 0) stopped = !co_await wait_unless_stopped(script.delta_delay, request.stop);
    }
    if (!said.empty()) reply.message.parts.push_back({Part::Kind::text, said, {}, {}});
    if (stopped) {
        std::lock_guard lock(mutex_);
        ++cancelled_;
        reply.finish = request.stop.reason() == base::StopReason::deadline ? FinishReason::deadline : FinishReason::cancelled;
        co_return reply;
    }
    if (script.error && script.tool_calls.empty()) co_return *script.error;
    for (std::size_t i = 0; i < script.tool_calls.size(); ++i) {
        const auto& call = script.tool_calls[i];
        send(sink, ModelDelta::Kind::tool_call_started, call.name, int(i), call.id);
        send(sink, ModelDelta::Kind::tool_arguments, call.arguments, int(i));
        reply.usage.output_tokens += 8;
    }
    if (script.error) co_return *script.error;
    reply.message.tool_calls = script.tool_calls;
    const bool calls = !script.tool_calls.empty() && script.finish == FinishReason::stop;
    reply.finish = calls ? FinishReason::tool_calls : script.finish;
    co_return reply;
}

net::Task<base::Result<EmbeddingReply>> ScriptedBackend::embed(EmbeddingRequest request) {
    EmbeddingReply reply;
    reply.backend = id_;
    reply.model = "scripted";
    reply.width = 4;
    for (const auto& input : request.inputs) {
        const auto* text = std::get_if<std::string>(&input);
        const std::size_t tokens = text ? text->size() / 4 + 1 : std::get<1>(input).size();
        std::size_t hash = text ? std::hash<std::string>{}(*text) : tokens;
        for (int i = 0; i < reply.width; ++i, hash /= 256) reply.values.push_back(float(hash % 256) / 256);
        reply.usage.prompt_tokens += int(tokens);
    }
    co_return reply;
}

net::Task<base::Result<int>> ScriptedBackend::count(ModelRequest request) { co_return rough_tokens(request); }

namespace {

struct Line {
    std::string when;
    ScriptedReply reply;
};

constexpr std::int64_t kMostDelay = 600'000;

base::Result<Line> line_of(const base::Json& json) {
    Line line;
    if (!json.is_object()) return base::error(Code::invalid_argument, "expected an object, found " + base::dump(json));
    for (auto [field, to] : {std::pair{"when", &line.when}, {"text", &line.reply.text}, {"reasoning", &line.reply.reasoning}}) {
        auto said = base::optional_string(json, field);
        if (!said) return std::move(said).error();
        *to = said->value_or("");
    }
    for (auto [field, to] : {std::pair{"delay_ms", &line.reply.delay}, {"word_delay_ms", &line.reply.delta_delay}}) {
        auto time = base::optional_integer(json, field);
        if (!time) return std::move(time).error();
        const std::int64_t milliseconds = time->value_or(0);
        if (milliseconds < 0 || milliseconds > kMostDelay)
            return base::error(Code::invalid_argument, std::string(field) + " is " + std::to_string(milliseconds) + " but must be from 0 to " + std::to_string(kMostDelay));
        *to = std::chrono::milliseconds(milliseconds);
    }
    for (const auto& call : json.value("tool_calls", base::Json::array())) {
        if (!call.is_object()) return base::error(Code::invalid_argument, "tool_calls holds " + base::dump(call) + ", which is no object");
        auto name = base::string_field(call, "name");
        if (!name) return std::move(name).error();
        line.reply.tool_calls.push_back({"", *name, base::dump(call.value("arguments", base::Json::object()))});
    }
    return line;
}

}  // namespace

base::Result<Script> script_from_json_lines(std::string_view text) {
    std::vector<Line> lines;
    int number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        text = end == text.npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (row.find_first_not_of(" \t\r") == row.npos) continue;
        auto json = base::parse_json(row);
        auto line = json ? line_of(*json) : base::Result<Line>(std::move(json).error());
        if (!line) return base::error(Code::invalid_argument, "script line " + std::to_string(number) + ": " + line.error().message);
        lines.push_back(*std::move(line));
    }
    return Script([lines](const ModelRequest& request) {
        std::string question;
        std::size_t answered = 0;  // assistant messages since the last user message
        for (const auto& message : request.messages) {
            if (message.role == MessageRole::user) {
                question = message.text();
                answered = 0;
            }
            if (message.role == MessageRole::assistant) ++answered;
        }
        for (const auto& line : lines) {
            if (question.find(line.when) == std::string::npos) continue;
            if (answered-- == 0) return line.reply;
        }
        ScriptedReply none;
        none.text = "The script has no answer to this.";
        return none;
    });
}

}  // namespace router
