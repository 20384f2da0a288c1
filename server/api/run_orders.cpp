// POST /v1/runs, and what is sent to a run afterwards.
#include <algorithm>

#include "agents/turn.h"
#include "base/json_schema_words.h"
#include "server/api/agent_answer.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/request_fields.h"
#include "server/api/run_shapes.h"
#include "server/api/workspace_field.h"
#include "store/digest.h"
#include "store/run_inputs.h"
#include "store/run_queue.h"

namespace server::api {
namespace {

using base::Code;
using base::error;
using base::Json;

constexpr const char* kFields[] = {"agent", "input", "conversation", "thread", "class", "budget", "tools", "metadata", "workspace", "read_only", "write_tier"};
constexpr std::size_t kLongestKey = 255, kMostMetadata = 16, kLongestMetadata = 512;
constexpr std::size_t kLongestSteer = 64 << 10;  // bytes
constexpr std::size_t kLongestLabel = 200;  // bytes
constexpr std::int64_t kMostTokens = 1 << 24, kMostSeconds = 86400;

Response no_such_run() { return error_response(404, "there is no such run", "not_found"); }

struct Order {
    agents::Submission submission;
    WorkspaceField workspace;
    std::vector<std::string> ignored;
};

base::Result<std::vector<Json>> messages_of(const Json& body) {
    const auto input = body.find("input");
    std::vector<Json> out;
    if (input != body.end() && input->is_string() && !input->get_ref<const std::string&>().empty()) out.push_back({{"role", "user"}, {"content", *input}});
    if (input != body.end() && input->is_array()) out = input->get<std::vector<Json>>();
    if (!out.empty()) return out;
    return error(Code::invalid_argument, "input must be a text or a list of messages, and not be empty");
}

base::Result<std::int64_t> bounded(const Json& object, const char* field, std::int64_t most) {
    auto value = base::optional_integer(object, field);
    if (!value) return std::move(value).error();
    if (*value && (**value < 1 || **value > most))
        return error(Code::invalid_argument, std::string(field) + " is " + std::to_string(**value) + " but must be from 1 to " + std::to_string(most));
    return value->value_or(0);
}

base::Result<void> read_budget(const Json& body, agents::ChatRequest& chat, std::vector<std::string>& ignored) {
    if (!body.contains("budget") || body["budget"].is_null()) return {};
    const Json& budget = body["budget"];
    if (!budget.is_object()) return error(Code::invalid_argument, "budget must be an object of output_tokens and seconds");
    const auto tokens = bounded(budget, "output_tokens", kMostTokens), seconds = bounded(budget, "seconds", kMostSeconds);
    if (!tokens) return tokens.error();
    if (!seconds) return seconds.error();
    chat.max_tokens = int(*tokens);
    chat.deadline = std::chrono::seconds(*seconds);
    for (const auto& [field, value] : budget.items())
        if (field != "output_tokens" && field != "seconds") ignored.push_back("budget." + field);
    return {};
}

base::Result<void> read_tools(const std::string& text, agents::ChatRequest& chat, std::vector<std::string>& ignored) {
    const auto ordered = base::parse_ordered_json(text);
    if (!ordered || !ordered->contains("tools")) return {};
    auto tools = router::tools_from_json((*ordered)["tools"]);
    if (!tools) return std::move(tools).error();
    for (std::size_t i = 0; i < tools->size(); ++i)
        for (const auto& unknown : base::unknown_words((*tools)[i].parameters)) ignored.push_back("tools[" + std::to_string(i) + "].function.parameters" + unknown.place);
    chat.client_tools = *std::move(tools);
    return {};
}

base::Result<Json> read_metadata(const Json& body) {
    if (!body.contains("metadata") || body["metadata"].is_null()) return base::Result<Json>(Json(nullptr));
    const Json& metadata = body["metadata"];
    const bool fits = metadata.is_object() && metadata.size() <= kMostMetadata && std::all_of(metadata.begin(), metadata.end(), [](const Json& value) {
        return value.is_string() && value.get_ref<const std::string&>().size() <= kLongestMetadata;
    });
    if (!fits)
        return error(Code::invalid_argument, "metadata must be an object of at most " + std::to_string(kMostMetadata) + " texts of at most " + std::to_string(kLongestMetadata) + " bytes");
    return base::Result<Json>(metadata);
}

base::Result<base::ConversationId> read_conversation(const Json& body) {
    auto text = base::optional_string(body, "conversation");
    if (!text) return std::move(text).error();
    if (!*text) return base::ConversationId{};
    const auto id = base::ConversationId::parse(**text);
    if (!id) return error(Code::not_found, "there is no conversation '" + **text + "'");
    return *id;
}

base::Result<void> read_thread(const Json& body, agents::ChatRequest& chat, std::vector<std::string>& ignored) {
    const auto thread = body.find("thread");
    if (thread == body.end() || thread->is_null()) return {};
    if (!thread->is_object()) return error(Code::invalid_argument, "thread must be an object of rule and label");
    auto rule = base::optional_string(*thread, "rule"), label = base::optional_string(*thread, "label");
    if (!rule) return std::move(rule).error();
    if (!label) return std::move(label).error();
    if (*rule) {
        chat.rule = store::parse_rule(**rule);
        if (!chat.rule) return error(Code::invalid_argument, "thread.rule is '" + **rule + "' but must be queue, steer, interrupt or refuse");
    }
    if (*label)
        if (auto fine = check_text("thread.label", **label, kLongestLabel); !fine) return fine;
    chat.label = *std::move(label);
    for (const auto& [field, value] : thread->items())
        if (field != "rule" && field != "label") ignored.push_back("thread." + field);
    return {};
}

base::Result<std::optional<router::ExecutionClass>> read_class(const Json& body) {
    auto text = base::optional_string(body, "class");
    if (!text) return std::move(text).error();
    if (!*text) return std::optional<router::ExecutionClass>{};
    const auto execution = agents::parse_class(**text);
    if (!execution) return error(Code::invalid_argument, "class is '" + **text + "' but must be fast, normal or heavy");
    return execution;
}

// The same for every way to write the same JSON: keys in order, no blanks.
std::string digest_of(const Json& body) { return store::sha256_hex(base::dump(body)); }

base::Result<std::string> read_key(const Request& request) {
    const std::string& key = request.header("idempotency-key");
    const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > ' ' && c < 127; });
    if (key.size() > kLongestKey || !plain) return error(Code::invalid_argument, "Idempotency-Key must be at most " + std::to_string(kLongestKey) + " visible ASCII characters");
    return key;
}

// Fills what `value` gives, or says whose fault it is.
template <class T, class Out>
bool put(base::Result<T> value, const char* field, Out& out, std::string& param, base::Error& failed) {
    if (value) {
        out = *std::move(value);
        return true;
    }
    param = field;
    failed = std::move(value).error();
    return false;
}

base::Result<Order> read_order(const Request& request, std::string& param) {
    auto json = object_of(request.body);
    if (!json) return std::move(json).error();
    Order out;
    agents::ChatRequest& chat = out.submission.chat;
    out.ignored = fields_beside(kFields, *json);
    base::Error failed{};
    std::optional<std::string> agent;
    const bool fine = put(read_key(request), "Idempotency-Key", out.submission.key, param, failed) && put(base::optional_string(*json, "agent"), "agent", agent, param, failed) &&
                      put(messages_of(*json), "input", chat.messages, param, failed) && put(read_conversation(*json), "conversation", chat.conversation, param, failed) &&
                      put(read_class(*json), "class", chat.execution, param, failed) && put(read_metadata(*json), "metadata", out.submission.metadata, param, failed);
    if (!fine) return failed;
    chat.alias = agent.value_or("hearth");
    chat.joins = out.submission.metadata.is_null();
    param = "agent";
    param = "thread";
    if (auto thread = read_thread(*json, chat, out.ignored); !thread) return std::move(thread).error();
    param = "budget";
    if (auto budget = read_budget(*json, chat, out.ignored); !budget) return std::move(budget).error();
    param = "tools";
    if (auto tools = read_tools(request.body, chat, out.ignored); !tools) return std::move(tools).error();
    auto workspace = read_workspace(*json, param);
    if (!workspace) return std::move(workspace).error();
    out.workspace = *std::move(workspace);
    out.submission.digest = digest_of(*json);
    return out;
}

net::Task<Response> taken_in(base::RunId id, Caller caller, Services& services) {
    auto find = [&](store::Tx& tx) { return store::find_run(tx, id); };
    const auto run = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!run) co_return no_such_run();
    Response response = json_response(run_json(*run), 202);
    response.headers["Location"] = "/v1/runs/" + id.text();
    co_return response;
}

// The run that this very request has begun: what it needed then, a folder, may be gone since.
net::Task<base::Result<std::optional<base::RunId>>> sent_before(const agents::Submission& submission, Services& services) {
    if (submission.key.empty()) co_return std::optional<base::RunId>();
    auto find = [&](store::Tx& tx) { return store::find_key(tx, submission.key, submission.digest); };
    const auto known = co_await services.db.read(agents::identity_of(submission.chat.principal), find);
    if (known && !known->same) co_return agents::key_taken(submission.key, known->run);
    std::optional<base::RunId> run;
    if (known) run = known->run;
    co_return run;
}

}  // namespace

net::Task<Response> start_run(Request request, Caller caller, Services& services) {
    std::string param;
    auto order = read_order(request, param);
    if (!order) co_return error_response(order.error(), param);
    agents::ChatRequest& chat = order->submission.chat;
    if (auto refused = refused_agent(chat.alias, "agent", caller, services)) co_return *std::move(refused);
    chat.principal = caller.principal;
    if (!order->workspace.path.empty())
        if (auto refused = refused_folder(chat.alias, services)) co_return *std::move(refused);
    auto no_folder = co_await open_workspace(request, caller, order->workspace, chat, services);
    if (no_folder) {
        const auto known = co_await sent_before(order->submission, services);
        if (!known) co_return error_response(known.error(), "Idempotency-Key");
        if (!*known) co_return *std::move(no_folder);
        Response again = co_await taken_in(**known, caller, services);
        again.headers["Idempotent-Replayed"] = "true";
        name_ignored(again, order->ignored);
        co_return again;
    }
    const auto taken = co_await services.agents.submit(std::move(order->submission));
    if (!taken) co_return error_response(taken.error(), taken.error().message.find("Idempotency-Key") == std::string::npos ? "" : "Idempotency-Key");
    Response response = co_await taken_in(taken->run, caller, services);
    if (taken->joined && response.status == 202) {
        Json body = Json::parse(response.body);
        body["joined"] = true;
        response.body = base::dump(body);
    }
    if (taken->known) response.headers["Idempotent-Replayed"] = "true";
    name_ignored(response, order->ignored);
    co_return response;
}

net::Task<Response> steer_run(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return no_such_run();
    const auto json = object_of(request.body);
    if (!json) co_return error_response(json.error());
    const auto text = base::string_field(*json, "text");
    if (!text) co_return error_response(text.error(), "text");
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) co_return error_response(400, "text must say something, and is blank", "invalid_argument", "text");
    if (const auto fine = check_text("text", *text, kLongestSteer); !fine) co_return error_response(fine.error(), "text");
    auto add = [&](store::Tx& tx) -> base::Result<store::RunInput> {
        const auto run = store::find_run(tx, *id);
        if (run && !may_direct(caller, *run, services)) return may_not_direct(*run);
        return store::add_input(tx, *id, *text, caller.principal.via);
    };
    const auto added = co_await services.db.run(agents::identity_of(caller.principal), add);
    if (!added) co_return error_response(added.error());
    services.agents.heard({store::Signal::Kind::input, *id});
    Json body = {{"id", added->id.text()}, {"object", "run.input"}, {"run_id", id->text()}, {"position", added->position}, {"sent", base::rfc3339(added->sent)}};
    Response response = json_response(body);
    name_ignored(response, fields_beside({"text"}, *json));
    co_return response;
}

net::Task<Response> fork_run(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return no_such_run();
    const auto json = object_of(request.body);
    if (!json) co_return error_response(json.error());
    if (!json->contains("step") || !((*json)["step"].is_string() || (*json)["step"].is_number_unsigned()))
        co_return error_response(400, "step must be the id of a step, or its position", "invalid_argument", "step");
    const Json& named = (*json)["step"];
    std::string step = named.is_string() ? named.get<std::string>() : std::to_string(named.get<std::uint64_t>());
    auto text = base::optional_string(*json, "text");
    if (!text) co_return error_response(text.error(), "text");
    std::string added = text->value_or("");
    if (const auto fine = check_text("text", added, kLongestSteer); !fine) co_return error_response(fine.error(), "text");
    auto find = [&](store::Tx& tx) { return store::find_run(tx, *id); };
    const auto run = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!run) co_return no_such_run();
    if (!may_direct(caller, *run, services)) co_return error_response(may_not_direct(*run));
    const auto fork = co_await services.agents.fork(caller.principal, *id, std::move(step), std::move(added));
    if (!fork) co_return error_response(fork.error(), fork.error().code == Code::invalid_argument ? "step" : "");
    Response response = co_await taken_in(*fork, caller, services);
    name_ignored(response, fields_beside({"step", "text"}, *json));
    co_return response;
}

}  // namespace server::api
