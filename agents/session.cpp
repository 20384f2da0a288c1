#include "agents/session.h"

#include <sys/stat.h>

#include <algorithm>

#include "agents/pairing.h"
#include "agents/passages.h"
#include "agents/reply/inert.h"
#include "agents/reply/plain.h"
#include "agents/resume.h"
#include "agents/threads.h"
#include "agents/turn.h"
#include "prompts/directives.h"
#include "store/conversations.h"
#include "store/groups.h"
#include "store/run_inputs.h"
#include "store/schedules.h"
#include "store/segments.h"

namespace agents {
namespace {

using base::Code;
using base::error;
using base::Json;

constexpr std::size_t kMostOfEffect = 120;  // bytes of an effect's arguments that the person is told
constexpr int kRunsInHistory = 8;  // whose calls and results a prompt repeats

// The results among the new messages, from index `from` on.
base::Result<void> check_results(store::Tx& tx, const ChatRequest& request, std::size_t from) {
    const bool results = std::any_of(request.messages.begin() + std::ptrdiff_t(from), request.messages.end(), [](const Json& m) { return m.value("role", "") == "tool"; });
    const bool asked = results && !request.conversation.is_nil();
    return check_pairing(asked ? store::list_messages(tx, request.conversation) : std::vector<store::StoredMessage>{}, request.messages, from);
}

}  // namespace

base::Result<void> check_folder(const std::string& stored, const ChatRequest& request) {
    if (request.may_name_folders || request.workspace || !request.workspace_path.empty() || stored.empty()) return {};
    return error(Code::permission_denied, "the conversation " + request.conversation.text() + " works in a folder of this machine, which only a member's client on it may use",
                 "leave the id out: a new conversation has a folder of its own");
}

base::Result<std::vector<Json>> checked_messages(const std::vector<Json>& messages) {
    if (messages.empty()) return error(Code::invalid_argument, "messages is empty", "send at least one message with role user");
    std::vector<Json> out;
    router::MessageRole last{};
    for (std::size_t i = 0; i < messages.size(); ++i) {
        auto message = router::message_from_json(base::OrderedJson(messages[i]), i);
        if (!message) return std::move(message).error();
        last = message->role;
        out.emplace_back(router::message_to_json(*message));
        if (messages[i].value("trusted", Json(true)) == Json(false)) out.back()["trusted"] = false;  // see history_of
    }
    if (last != router::MessageRole::user && last != router::MessageRole::tool)
        return error(Code::invalid_argument, "messages[" + std::to_string(messages.size() - 1) + "].role is " + std::string(router::name(last)) +
                                                 "; the last message must be the person's (user) or a tool's result (tool)");
    return out;
}

base::Result<History> read_history(store::Tx& tx, base::ConversationId conversation, base::MessageId until) {
    History out;
    out.at_hand = {store::list_collections(tx), store::find_scratchpad(tx, conversation)};
    if (out.at_hand.note && !out.at_hand.note->trusted) out.label = policy::Integrity::untrusted;
    out.messages = store::list_messages(tx, conversation);
    const auto last = std::find_if(out.messages.begin(), out.messages.end(), [&](const auto& m) { return m.id == until; });
    if (last != out.messages.end()) out.messages.erase(last + 1, out.messages.end());
    for (auto it = out.messages.rbegin(); it != out.messages.rend() && int(out.work.size()) < kRunsInHistory; ++it) {
        if (it->role != "assistant") continue;
        const auto known = [&](const auto& one) { return one.first == it->run; };
        if (it->run.is_nil() || std::any_of(out.work.begin(), out.work.end(), known)) continue;
        const auto run = store::find_run(tx, it->run);
        if (!run || !run->turn.is_object() || run->turn.empty()) continue;
        auto turn = turn_from_json(run->turn);
        if (!turn) return std::move(turn).error();
        out.label = policy::meet(out.label, turn->label);
        out.work.emplace_back(it->run, std::move(turn->work));
    }
    return out;
}

namespace {

using Prompts = base::Result<std::map<std::string, store::Prompt>>;

// `appended`: what the conversation was given now; all of it, where it is new.
base::Result<Opening> read_opening(store::Tx& tx, Prompts prompts, base::ConversationId conversation, bool is_new, std::vector<store::StoredMessage> appended) {
    if (!prompts) return std::move(prompts).error();
    if (is_new) return Opening{*std::move(prompts), {std::move(appended), {}, policy::Integrity::trusted, {store::list_collections(tx)}}, store::this_person(tx)};
    auto history = read_history(tx, conversation);
    if (!history) return std::move(history).error();
    return Opening{*std::move(prompts), *std::move(history), store::this_person(tx)};
}

// What a request wants to try out must be what it gets, as far as its agent reads it: of others it must be there.
base::Result<void> check_versions(store::Tx& tx, const Prompts& prompts, const std::map<std::string, int>& asked) {
    if (!prompts) return {};
    for (const auto& [name, version] : asked) {
        if (auto prime = prompts::refuse_prime(name)) return *std::move(prime);
        const auto found = prompts->find(name);
        const auto versions = found == prompts->end() ? store::prompt_versions(tx, name) : std::vector<store::PromptVersion>{{found->second}};
        if (!versions) return error(Code::invalid_argument, "prompts names '" + name + "', which no agent reads", "hearth prompt list tells which there are");
        if (std::none_of(versions->begin(), versions->end(), [&](const auto& one) { return one.prompt.version == version; }))
            return error(Code::invalid_argument, "prompts names version " + std::to_string(version) + " of '" + name + "', which is not there", "hearth prompt versions " + name + " lists them");
    }
    return {};
}

Beginning begin(const Prompts& prompts, const ChatRequest& request, const Options& options) {
    Beginning out;
    out.time_limit = request.deadline.count() > 0 ? std::min(request.deadline, options.run_deadline) : options.run_deadline;
    out.at = base::SystemClock().now();
    out.root = base::SpanId::make(out.at);
    if (prompts)
        for (const auto& [prompt_name, row] : *prompts) out.prompts[prompt_name] = row.version;
    return out;
}

// What the person is told, by us: a model might not.
std::string told_in_doubt(const std::vector<std::string>& effects) {
    std::string out = "It is not known whether this took effect, and it was not repeated: ";
    for (const std::string& effect : effects) out += (&effect == &effects[0] ? "" : "; ") + effect;
    return out + ".";
}

}  // namespace

std::string effect_text(const std::string& tool, const std::string& arguments) { return tool + " " + shortened(arguments, kMostOfEffect); }

bool is_pinned(const Options& options, const std::string& workspace) { return !options.shared_workspaces || !workspace.empty(); }

base::Result<std::size_t> fit_messages(store::Tx& tx, const ChatRequest& request, base::ConversationId conversation, bool is_new) {
    const auto stored = is_new ? base::Result<std::size_t>(0) : store::match_history(tx, conversation, request.messages);
    if (!stored) return stored.error();
    if (auto paired = check_results(tx, request, *stored); !paired) return std::move(paired).error();
    return stored;
}

base::Result<base::MessageId> take_messages(store::Tx& tx, const Options& options, const ChatRequest& request, bool is_new, base::RunId run, Accepted& out) {
    const auto stored = fit_messages(tx, request, out.conversation, is_new);
    if (!stored) return stored.error();
    std::vector<store::StoredMessage> appended;
    for (std::size_t i = *stored; i < request.messages.size(); ++i) {
        const Json& body = request.messages[i];
        const std::string role = body.value("role", "");
        const bool retold = role == "assistant" || role == "tool";  // of nobody's run here
        const base::RunId of = retold ? base::RunId{} : run;
        appended.push_back({store::append_message(tx, out.conversation, of, body), std::int64_t(i), of, role, body});
    }
    const base::MessageId last = appended.back().id;
    auto prompts = store::prompts_of(tx, prompt_names(*options.cast, request.alias), request.prompts);
    if (auto there = check_versions(tx, prompts, request.prompts); !there) return std::move(there).error();
    out.beginning = begin(prompts, request, options);
    out.beginning.zone = store::household_zone(tx);
    if (request.before_others) out.beginning.company = store::enter_chat_group(tx, out.conversation).value_or(base::AudienceId{});
    out.opening = read_opening(tx, std::move(prompts), out.conversation, is_new, std::move(appended));
    if (out.opening) out.beginning.standing = read_standing_orders(tx, out.opening->person);
    return last;
}

base::Result<std::string> enter_conversation(store::Tx& tx, const ChatRequest& request, base::ConversationId fresh) {
    if (request.conversation.is_nil()) {
        std::string workspace = request.workspace ? request.workspace->root().string() : request.workspace_path;
        store::create_conversation(tx, fresh, request.channel, workspace, {request.rule.value_or(store::Rule::queue), request.label.value_or("")});
        return workspace;
    }
    auto workspace = store::conversation_workspace(tx, request.conversation);
    if (!workspace)
        return error(Code::not_found, "there is no conversation " + request.conversation.text(),
                     "leave the id out to begin a new one");
    if (auto allowed = check_folder(*workspace, request); !allowed) return std::move(allowed).error();
    store::lock_conversation(tx, request.conversation);
    return *std::move(workspace);
}

base::RunId newest_answer(store::Tx& tx, base::ConversationId conversation) {
    base::RunId newest;
    for (const auto& message : store::list_messages(tx, conversation))
        if (message.role == "assistant") newest = std::max(newest, message.run);
    return newest;
}

base::Result<Accepted> accept_input(store::Tx& tx, const Options& options, const ChatRequest& request, base::ConversationId fresh, const store::RunLease& lease) {
    Accepted out;
    const bool is_new = request.conversation.is_nil();
    auto workspace = enter_conversation(tx, request, fresh);
    if (!workspace) return std::move(workspace).error();
    out.workspace = *std::move(workspace);
    out.conversation = is_new ? fresh : request.conversation;
    if (!is_new) {
        auto entry = enter_thread(tx, request);
        if (!entry) return std::move(entry).error();
        out.joined = entry->run;
        out.stopping = std::move(entry->stopping);
        out.busy = store::busy_run(tx, out.conversation);
    }
    if (!out.busy.is_nil() || !out.joined.is_nil()) return out;
    if (!request.newest.is_nil() && newest_answer(tx, out.conversation) > request.newest)
        return error(Code::conflict, "the conversation went on while this waited: its newest answer is of another run than " + request.newest.text(), "go on from the newest");
    auto input = take_messages(tx, options, request, is_new, lease.run(), out);
    if (!input) return std::move(input).error();
    store::create_run(tx, lease, out.conversation, *input, request.alias, {to_json(request, out.beginning), is_pinned(options, out.workspace)});
    if (!is_new) store::adopt_inputs(tx, out.conversation, lease.run());
    return out;
}

void append_answer(Frame& frame, Turn& turn) {
    // Of a run that was taken over and came no more so far.
    for (const store::Step* step : frame.writer.in_doubt()) frame.sums.in_doubt.push_back(effect_text(step->name, base::dump(step->input)));
    if (!frame.sums.in_doubt.empty()) {
        ChatEvent event;
        event.text = (turn.answer.empty() ? "" : "\n\n") + reply::inert(told_in_doubt(frame.sums.in_doubt));  // it quotes calls
        if (frame.plain) event.text = reply::plain(event.text);
        turn.answer += event.text;
        frame.emit(std::move(event));
    }
    if (turn.answer.empty() && turn.client_calls.empty()) return;
    frame.writer.lock_first(frame.conversation);
    router::Message message = router::Message::make(router::MessageRole::assistant, turn.answer);
    message.tool_calls = turn.client_calls;
    const bool trusted = turn.label == policy::Integrity::trusted;
    frame.writer.defer([conversation = frame.conversation, run = frame.run, trusted, retells = turn.retells, body = Json(router::message_to_json(message))](store::Tx& tx) {
        store::append_message(tx, conversation, run, body);
        store::keep_segments(tx, conversation, run, trusted, retells);
    });
}

std::string identity_of(const sandbox::Workspace& folder) {
    struct stat about{};
    if (fstat(folder.fd(), &about) != 0) return "none";
    return std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino);
}

std::string_view name(WriteTier tier) { return tier == WriteTier::prompts ? "prompts" : tier == WriteTier::skills ? "skills" : "code"; }

std::optional<WriteTier> parse_write_tier(std::string_view text) {
    for (const WriteTier tier : {WriteTier::prompts, WriteTier::skills, WriteTier::code})
        if (text == name(tier)) return tier;
    return std::nullopt;
}

namespace {

void narrow(sandbox::Workspace& folder, WriteTier tier) {
    if (tier == WriteTier::prompts) folder.narrow({"prompts"});
    if (tier == WriteTier::skills) folder.narrow({"prompts", "skills"});
}

}  // namespace

base::Result<std::shared_ptr<sandbox::Workspace>> open_workspace(const Options& options, const ChatRequest& request,
                                                                 const Accepted& accepted, policy::Scope scope) {
    using sandbox::Workspace;
    if (request.workspace) {
        narrow(*request.workspace, request.write_tier);
        return request.workspace;
    }
    const bool writable = scope == policy::Scope::dev && !request.workspace_read_only;
    std::filesystem::path folder = request.workspace_path.empty() ? accepted.workspace : request.workspace_path;
    // A folder that we make ourselves lies in the state folder by default and holds nothing of it.
    const bool own = folder.empty();
    if (own) {
        folder = options.workspace_root / request.principal.person.text();
        if (scope == policy::Scope::dev || request.before_others) folder /= (request.folder_of.is_nil() ? accepted.conversation : request.folder_of).text();
        std::error_code failed;
        std::filesystem::create_directories(folder, failed);
        if (failed) return error(Code::io, "the folder " + folder.string() + " cannot be made: " + failed.message());
    }
    auto opened = Workspace::open(folder, writable ? Workspace::Access::read_write : Workspace::Access::read_only, own ? std::vector<std::filesystem::path>{} : options.masked);
    if (!opened) return std::move(opened).error();
    // Somebody was let into the folder that he handed over, and into no other.
    if (!request.workspace_identity.empty() && request.workspace_identity != identity_of(**opened))
        return error(Code::permission_denied, folder.string() + " is not the folder any more in which the run began", "ask again in the folder that is meant");
    narrow(**opened, request.write_tier);
    return std::shared_ptr<Workspace>(std::move(*opened));
}

}  // namespace agents
