#include "agents/digest.h"

#include <boost/asio/steady_timer.hpp>

#include "agents/yielding.h"
#include "base/utf8.h"
#include "prompts/render.h"
#include "router/gateway.h"
#include "router/usage.h"
#include "store/prompts.h"
#include "store/traces.h"

namespace agents {
namespace {

using namespace std::chrono_literals;

constexpr int kSegments = 8;                    // that are read at once
constexpr std::chrono::seconds kRest = 1h;      // then what a conversation holds is read, however little it is
constexpr std::size_t kMostOfSegment = 1500;    // bytes of each side that the model reads
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
    Portion portion;
    std::string prompt;
};

base::Result<Work> next_work(store::Tx& tx, const Digest& digest, const std::vector<base::Uuid>& passed_over) {
    Work work{digest.next(tx, passed_over), ""};
    if (work.portion.text.empty()) return work;
    const auto prompt = store::live_prompts(tx, {digest.prompt});
    if (!prompt) return prompt.error();
    auto text = prompts::render(prompt->at(digest.prompt).body, {{"said", work.portion.text}});
    if (!text) return text.error();
    work.prompt = *std::move(text);
    return work;
}

router::ModelRequest request_for(const Work& work, const Digest& digest, const std::string& alias, const store::Identity& who, const base::StopToken& stop) {
    router::ModelRequest request;
    request.alias = alias;
    request.purpose = digest.phase;
    request.urgency = router::Urgency::night;
    request.messages.push_back(router::Message::make(router::MessageRole::user, work.prompt));
    request.messages.back().trusted = false;
    request.tool_choice.kind = router::ToolChoice::Kind::none;
    request.response_schema = digest.schema;
    request.sampling.temperature = 0;
    request.max_tokens = digest.reply_tokens;
    request.cache_salt = who.person.text();
    request.on_behalf.tenant = who.tenant;
    request.on_behalf.person = who.person;
    request.on_behalf.conversation = work.portion.conversation;
    request.stop = stop;
    return request;
}

}  // namespace

Portion next_segments(store::Tx& tx, store::Reading reading, const std::vector<base::Uuid>& passed_over, const KeepOfSegments& keep) {
    std::vector<base::ConversationId> conversations;
    for (const base::Uuid& one : passed_over) conversations.push_back({one});
    const auto segments = store::next_unread(tx, reading, kSegments, kRest, conversations);
    if (segments.empty()) return {};
    const base::ConversationId of = segments.front().conversation;
    return {of.value, of, shown(segments), int(segments.size()), [segments, keep](store::Tx& later, const std::string& reply, const std::string& model) { return keep(later, segments, reply, model); }};
}

net::Task<Digested> digest(const Parts& parts, const Options& options, store::Identity who, const Digest& digest, base::StopToken stop) {
    const auto named = options.phase_alias.find(digest.phase);
    const std::string alias = named == options.phase_alias.end() ? options.model : named->second;
    Digested out;
    std::vector<base::Uuid> passed_over;  // the model said nothing of use of them
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const router::DeltaSink nobody;
    while (!stop.stopped()) {
        const auto next = [&](store::Tx& tx) { return next_work(tx, digest, passed_over); };
        const auto work = co_await parts.db.read(who, next);
        if (!work) out.trouble = work.error();
        else if (work->portion.text.empty()) out.done = passed_over.empty();
        if (!work || work->portion.text.empty()) co_return out;
        router::ModelRequest request = request_for(*work, digest, alias, who, stop);
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
        const std::string text = reply->message.text();
        const auto keep = [&](store::Tx& tx) { return work->portion.keep(tx, text, reply->model); };
        const auto kept = co_await parts.db.run(who, keep);
        if (!kept) {
            out.trouble = kept.error();
            passed_over.push_back(work->portion.of);
            continue;
        }
        if (!*kept) continue;
        ++out.replies;
        out.parts += work->portion.parts;
    }
    co_return out;
}

}  // namespace agents
