#include "agents/consolidate.h"

#include "agents/agents_impl.h"
#include "agents/embed_memory.h"
#include "agents/note_facts.h"
#include "memory/ingest.h"
#include "store/episodes.h"

namespace agents {
namespace {

using base::Code;

constexpr int kReplyTokens = 320, kMostOfSummary = 700, kKeywords = 8;

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

Digest episodes() {
    const auto keep = [](store::Tx& tx, const std::vector<store::Segment>& segments, const std::string& reply, const std::string& model) -> base::Result<bool> {
        const auto text = parse_episode(reply);
        if (!text) return text.error();
        return store::keep_episode(tx, store::ids_of(segments), {text->summary, text->keywords, model});
    };
    return {"consolidate", "episode", episode_schema(), kReplyTokens, [keep](store::Tx& tx, const std::vector<base::Uuid>& passed_over) { return next_segments(tx, store::Reading::episode, passed_over, keep); }};
}

net::Task<Consolidated> Agents::consolidate(store::Identity who, base::StopToken stop) {
    co_await memory::ingest(impl_->parts.db, who, stop);  // documents that a process left open
    const Digest summing = episodes();
    const Digested summed = co_await digest(impl_->parts, impl_->options, who, summing, stop);
    int noted = 0;
    const Digest noting = facts_of_talk(impl_->memory, noted);
    const Digested read = co_await digest(impl_->parts, impl_->options, who, noting, stop);
    const Digest reading = facts_of_documents(impl_->memory, noted);
    const Digested documents = co_await digest(impl_->parts, impl_->options, who, reading, stop);
    const Embedded embedded = co_await embed_memory(impl_->parts, impl_->options, who, stop);
    Consolidated out{summed.replies, summed.parts, noted, read.parts, documents.parts, embedded.vectors, summed.done && read.done && documents.done && embedded.done};
    for (const base::Error* trouble : {&embedded.trouble, &documents.trouble, &read.trouble, &summed.trouble})
        if (!trouble->message.empty()) out.trouble = *trouble;
    co_return out;
}

}  // namespace agents
