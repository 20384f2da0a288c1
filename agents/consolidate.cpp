#include "agents/consolidate.h"

#include <boost/asio/steady_timer.hpp>

#include "agents/agents_impl.h"
#include "base/utf8.h"
#include "memory/ingest.h"
#include "prompts/render.h"
#include "router/gateway.h"
#include "router/usage.h"
#include "store/episodes.h"
#include "store/prompts.h"
#include "store/traces.h"

namespace agents {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr const char* kPhase = "consolidate";
constexpr const char* kPrompt = "episode";
constexpr int kSegments = 8;                    // of an episode
constexpr std::chrono::seconds kRest = 1h;      // then what a conversation holds is summed up, however little it is
constexpr std::size_t kMostOfSegment = 1500;    // bytes of each side that the model reads
constexpr int kReplyTokens = 320, kMostOfSummary = 700, kKeywords = 8;
constexpr auto kPause = 1s;

std::string shown(const std::vector<store::Segment>& segments) {
    std::string out;
    for (const store::Segment& one : segments) {
        out += "On " + base::rfc3339(one.said).substr(0, 10) + " the person: " + std::string(base::beginning(one.asked, kMostOfSegment)) + "\n";
        out += "The assistant: " + std::string(base::beginning(one.answered, kMostOfSegment)) + "\n\n";
    }
    return out;
}

struct Work {
    std::vector<store::Segment> segments;
    std::string prompt;
};

}  // namespace

base::OrderedJson episode_schema() {
    const base::OrderedJson keyword = {{"type", "string"}, {"minLength", 1}, {"maxLength", 40}};
    return {{"type", "object"},
            {"properties", {{"summary", {{"type", "string"}, {"minLength", 1}, {"maxLength", kMostOfSummary}}}, {"keywords", {{"type", "array"}, {"items", keyword}, {"maxItems", kKeywords}}}}},
            {"required", {"summary", "keywords"}},
            {"additionalProperties", false}};
}

base::Result<EpisodeText> parse_episode(const std::string& reply) {
    const auto json = base::parse_json(reply);
    if (!json) return json.error();
    const base::Error none = base::error(Code::corrupt, "the reply is no summary");
    if (!json->is_object() || !json->contains("summary") || !(*json)["summary"].is_string()) return none;
    EpisodeText out;
    out.summary = (*json)["summary"].get<std::string>();
    if (out.summary.find_first_not_of(" \t\r\n") == std::string::npos || out.summary.size() > 4 * kMostOfSummary) return none;
    const base::Json keywords = json->value("keywords", base::Json::array());
    if (!keywords.is_array()) return none;
    for (const base::Json& keyword : keywords) {
        if (!keyword.is_string()) return none;
        out.keywords += (out.keywords.empty() ? "" : ", ") + keyword.get<std::string>();
    }
    return out;
}

namespace {

base::Result<Work> next_work(store::Tx& tx, const std::vector<base::ConversationId>& passed_over) {
    Work work{store::next_unsummed(tx, kSegments, kRest, passed_over), ""};
    if (work.segments.empty()) return work;
    const auto prompt = store::live_prompts(tx, {kPrompt});
    if (!prompt) return prompt.error();
    auto text = prompts::render(prompt->at(kPrompt).body, {{"said", shown(work.segments)}});
    if (!text) return text.error();
    work.prompt = *std::move(text);
    return work;
}

router::ModelRequest request_for(const Work& work, const std::string& alias, const store::Identity& who, const base::StopToken& stop) {
    router::ModelRequest request;
    request.alias = alias;
    request.purpose = kPhase;
    request.messages.push_back(router::Message::make(router::MessageRole::user, work.prompt));
    request.messages.back().trusted = false;
    request.tool_choice.kind = router::ToolChoice::Kind::none;
    request.response_schema = episode_schema();
    request.sampling.temperature = 0;
    request.max_tokens = kReplyTokens;
    request.cache_salt = who.person.text();
    request.on_behalf.tenant = who.tenant;
    request.on_behalf.person = who.person;
    request.on_behalf.conversation = work.segments.front().conversation;
    request.stop = stop;
    return request;
}

// Somebody else called a model meanwhile.
bool gave_way(const base::Result<router::ModelReply>& reply, const base::StopToken& stop) {
    if (stop.stopped()) return false;
    return reply ? reply->finish == router::FinishReason::cancelled : reply.error().code == Code::cancelled;
}

}  // namespace

net::Task<Consolidated> consolidate(const Parts& parts, const Options& options, store::Identity who, base::StopToken stop) {
    const auto named = options.phase_alias.find(kPhase);
    const std::string alias = named == options.phase_alias.end() ? options.model : named->second;
    Consolidated out;
    std::vector<base::ConversationId> passed_over;  // the model gave no summary of them
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const router::DeltaSink nobody;
    co_await memory::ingest(parts.db, who, stop);  // documents that a process left open
    while (!stop.stopped()) {
        const auto next = [&](store::Tx& tx) { return next_work(tx, passed_over); };
        const auto work = co_await parts.db.read(who, next);
        if (!work) out.trouble = work.error();
        else if (work->segments.empty()) out.done = passed_over.empty();
        if (!work || work->segments.empty()) co_return out;
        router::ModelRequest request = request_for(*work, alias, who, stop);
        const router::CallRecord record(request.on_behalf, request.alias, request.purpose, parts.clock);
        const auto reply = co_await parts.gateway.generate(std::move(request), nobody);
        if (gave_way(reply, stop)) {
            timer.expires_after(kPause);
            co_await timer.async_wait(boost::asio::use_awaitable);
            continue;
        }
        parts.traces.emit(record.ended(reply));
        if (!reply) {
            out.trouble = reply.error();
            co_return out;
        }
        const auto text = parse_episode(reply->message.text());
        if (!text) {
            out.trouble = text.error();
            passed_over.push_back(work->segments.front().conversation);
            continue;
        }
        const store::Summary summary{text->summary, text->keywords, reply->model};
        std::vector<store::SegmentId> ids;
        for (const store::Segment& one : work->segments) ids.push_back(one.id);
        const auto keep = [&](store::Tx& tx) { return store::keep_episode(tx, ids, summary); };
        const bool kept = co_await parts.db.run(who, keep);
        if (!kept) continue;  // another process was faster
        ++out.episodes;
        out.segments += int(ids.size());
    }
    co_return out;
}

net::Task<Consolidated> Agents::consolidate(store::Identity who, base::StopToken stop) { return agents::consolidate(impl_->parts, impl_->options, who, std::move(stop)); }

}  // namespace agents
