#include "server/routes.h"

#include <utility>

#include "server/api/handlers.h"
#include "server/dashboard.h"
#include "server/failure.h"

namespace server {

// clang-format off
const std::vector<Route>& routes() {
    static const std::vector<Route> table = {
        {"GET",    "/health",              Access::open,  api::health,           "Whether the server can answer: 200 ready or degraded, 503 while it loads, is down or has no room on its disk", "Health"},
        {"GET",    "/openapi.json",        Access::user,  api::openapi_document, "This description", "application/json"},
        {"GET",    "/metrics",             Access::admin, api::metrics,          "Prometheus metrics", "text/plain"},
        {"GET",    "/logs",                Access::admin, api::logs,             "Recent log entries", "LogEntries", "", "level,log_limit"},
        {"GET",    "/v1/models",           Access::user,  api::models,           "The models that may be named", "ModelList"},
        {"GET",    "/v1/models/{id*}",     Access::user,  api::model,            "One of them", "Model"},
        {"POST",   "/v1/chat/completions", Access::user,  api::chat_completions, "Chat with a bare model, hearth or hearth/dev", "ChatCompletion", "ChatCompletionRequest"},
        {"POST",   "/v1/responses",        Access::user,  api::create_response,  "The same by items; a later request may go on from the response", "Response", "ResponsesRequest"},
        {"GET",    "/v1/responses/{id}",   Access::user,  api::get_response,     "A response that was stored", "Response"},
        {"DELETE", "/v1/responses/{id}",   Access::user,  api::delete_response,  "Remove it; an agent's run and conversation stay", "DeletedResponse"},
        {"POST",   "/v1/embeddings",       Access::user,  api::embeddings,       "Texts or token ids to vectors", "EmbeddingList", "EmbeddingRequest"},
        {"POST",   "/v0/dev/chat",         Access::dev,   api::dev_chat,         "Ask the agent that reads, edits and runs code", "DevChat", "DevChatRequest"},
        {"GET",    "/v1/runs",             Access::user,  api::list_runs,        "Your runs, newest first", "RunList", "", "run_limit,before,run_status,run_agent,run_text,run_tool,since_day,until_day"},
        {"POST",   "/v1/runs",             Access::user,  api::start_run,        "Take a run in: it is begun when there is room for it, whichever server does so", "Run", "RunRequest", "idempotency_key", 202},
        {"GET",    "/v1/runs/sums",        Access::user,  api::run_sums,         "Your runs by day and their calls by tool: how many, how many failed, how long they took", "RunSums", "", "days,run_tool"},
        {"GET",    "/v1/runs/{id}",        Access::user,  api::get_run,          "A run with its whole trace", "RunTrace"},
        {"GET",    "/v1/runs/{id}/events", Access::user,  api::run_events,       "What a run tells, as server-sent events", "text/event-stream", "", "last_event_id"},
        {"POST",   "/v1/runs/{id}/steer",  Access::user,  api::steer_run,        "Add words to a run that has not ended", "RunInput", "RunWords"},
        {"POST",   "/v1/runs/{id}/approve", Access::user, api::approve_run,      "Your word on what the run waits for", "Approval", "ApprovalDecision"},
        {"POST",   "/v1/runs/{id}/fork",   Access::user,  api::fork_run,         "Begin a run where that one was after a step", "Run", "RunFork", "", 202},
        {"POST",   "/v1/runs/{id}/stop",   Access::user,  api::stop_run,         "Stop a run", "StoppingRun"},
        {"POST",   "/v1/runs/{id}/replay", Access::user,  api::replay_call,      "Ask a model again what it was asked in a run, under the prompts of then or another version; no tool runs", "Replay", "ReplayRequest"},
        {"GET",    "/v1/threads",          Access::user,  api::list_threads,     "Your threads, newest first", "ThreadList", "", "run_limit,before"},
        {"GET",    "/v1/threads/{id}",     Access::user,  api::get_thread,       "A thread, its runs and the threads that they have spawned", "Thread"},
        {"POST",   "/v1/threads/{id}/stop", Access::user, api::stop_thread,      "Cancel a thread: what it has spawned first, then its runs; it takes no message any more", "StoppingThread"},
        {"GET",    "/v1/approvals",        Access::user,  api::list_approvals,   "What your runs wait for your word on", "ApprovalList"},
        {"GET",    "/v1/approvals/{id}",   Access::user,  api::get_approval,     "What was asked, the word that was given, and how the run is", "Approval"},
        {"POST",   "/v1/approvals/{id}",   Access::user,  api::decide_approval,  "Grant it, once and for these arguments, or deny it; the run goes on", "Approval", "ApprovalDecision"},
        {"GET",    "/v1/usage",            Access::user,  api::usage,            "What models were used for, by day and call, and what of budgets is spent", "UsageReport", "", "days,calls,by"},
        {"POST",   "/v1/models/{id}/load", Access::admin, api::load_model,       "Begin to load a model of the settings' section models; GET /health tells how far it is", "ModelState", "", "", 202},
        {"POST",   "/v1/models/{id}/unload", Access::admin, api::unload_model,   "Take no more requests for it, and give its memory back when those that have begun have ended", "ModelState", "", "", 202},
        {"GET",    "/v1/usage/days",       Access::user,  api::usage_days,       "Calls of models by day: how many, how long they took, what they cost", "UsageDays", "", "days,usage_of"},
        {"GET",    "/v1/drills",           Access::admin, api::list_drills,      "When each backend last answered plainly, streamed and with tools", "DrillList"},
        {"POST",   "/v1/drills",           Access::admin, api::drill,            "Try one with a few tokens", "Drill", "DrillRequest"},
        {"POST",   "/v0/admin/batch/nightly", Access::admin, api::nightly_batch, "The day's batch, made or waited for: daily and weekly rows, MathCore, the nodes' costs; the rest of the night goes on as its run", "NightlyBatch", "NightlyRequest"},
        {"GET",    "/v1/mathcore",         Access::admin, api::mathcore,         "What the newest night found of the pipeline's nodes, and what each costs now", "MathCore"},
        {"GET",    "/v1/mathcore/days",    Access::admin, api::mathcore_days,    "What was measured of each node by day, and what each night found", "MathCoreDays", "", "days"},
        {"GET",    "/v1/directives",       Access::user,  api::list_directives,  "What the house wants of every agent, and what you want", "DirectiveList"},
        {"POST",   "/v1/directives",       Access::user,  api::add_directive,    "Add one for yourself; runs that begin from then on are told", "Directive", "DirectiveRequest", "", 201},
        {"DELETE", "/v1/directives/{name}", Access::user, api::remove_directive, "Remove one that you have added for yourself", "RemovedDirective"},
        {"GET",    "/v1/memory/facts",     Access::user,  api::list_facts,       "What is remembered for you, newest first", "FactList", "", "run_limit,before,all"},
        {"GET",    "/v1/memory/facts/{id}", Access::user, api::get_fact,         "One fact, and when and in which run it was told", "FactRecord"},
        {"POST",   "/v1/memory/facts/{id}", Access::user, api::replace_fact,     "Say it anew: what you write holds from now on, and replaces it", "FactRecord", "FactText", "", 201},
        {"DELETE", "/v1/memory/facts/{id}", Access::user, api::forget_fact,      "Forget it, and what holds it; or only say what that would be", "Forgotten", "", "preview"},
        {"GET",    "/v1/memory/health",    Access::user,  api::memory_health,    "How much is remembered for you, of what kind, and how far it is summed up", "MemoryHealth"},
        {"GET",    "/v1/memory/recall",    Access::user,  api::recall_facts,     "What a question brings back, where each is from and why it is found", "RecalledList", "", "question"},
        {"GET",    "/v1/memory/documents", Access::user,  api::list_documents,   "The documents that you have given to be remembered, newest first", "DocumentList", "", "run_limit,before"},
        {"POST",   "/v1/memory/documents", Access::user,  api::add_document,     "Remember a document, by its sections; the same text once", "Document", "DocumentRequest", "", 201},
        {"POST",   "/v1/memory/documents/read", Access::user, api::read_file,    "What a file says, as it is shown to a model; nothing of it is kept", "FileText", "DocumentRequest"},
        {"DELETE", "/v1/memory/documents/{id}", Access::user, api::forget_document, "Forget it, and what was recalled of it; or only say what that would be", "Forgotten", "", "preview"},
        {"GET",    "/v1/blobs",            Access::user,  api::list_blobs,       "Pictures, voices and files that came with your messages, newest first", "BlobList", "", "run_limit,before,of_conversation"},
        {"GET",    "/v1/blobs/{id}",       Access::user,  api::get_blob,         "One of them, as it came", "application/octet-stream"},
        {"GET",    "/v1/blobs/{id}/about", Access::user,  api::about_blob,       "What it is, and whether it is kept", "Blob"},
        {"POST",   "/v1/blobs/{id}/remember", Access::user, api::remember_blob,  "Remember what it says, as a document", "Document", "", "", 201},
        {"DELETE", "/v1/blobs/{id}",       Access::user,  api::forget_blob,      "Forget it, and its file", "ForgottenBlob"},
        {"POST",   "/v1/memory/consolidate", Access::user, api::consolidate_memory, "Sum up what was said and note facts of it, by a model, until nothing is left or the time is over", "Consolidation", "", "seconds"},
        {"GET",    "/v1/memory/collections", Access::user, api::list_collections, "Your collections, by name", "CollectionList"},
        {"POST",   "/v1/memory/collections", Access::user, api::make_collection, "Make one, whose items hold to a JSON Schema", "Collection", "CollectionRequest", "", 201},
        {"GET",    "/v1/memory/collections/{name}", Access::user, api::get_collection, "What is in one, newest first", "CollectionWithItems", "", "run_limit"},
        {"POST",   "/v1/memory/collections/{name}", Access::user, api::add_collection_item, "Put an item into it", "CollectionItem", "CollectionItemRequest", "", 201},
        {"DELETE", "/v1/memory/collections/{name}", Access::user, api::remove_collection, "Remove it with all its items", "RemovedCollection"},
        {"GET",    "/v1/memory/interactions", Access::user, api::list_interactions, "What you asked and the critic found well answered, each once, as chat messages to train on, newest first", "InteractionList", "", "run_limit,before,since_day,until_day"},
        {"POST",   "/v1/memory/archive",   Access::user,  api::archive_memory,   "Put what was said, and its summaries, into your archive, each once", "ArchiveReport"},
        {"GET",    "/v1/memory/archive/{id}", Access::user, api::archived_text,  "A text of your archive, by the id of its segment or episode", "ArchivedText"},
        {"GET",    "/v1/schedules",        Access::user,  api::list_schedules,   "What you have agents do at a time, the next to come first", "ScheduleList"},
        {"POST",   "/v1/schedules",        Access::user,  api::add_schedule,     "Have an agent do something at a time, said in words or as a cron expression; of the same there is one", "Schedule", "ScheduleRequest", "", 201},
        {"GET",    "/v1/schedules/coming", Access::user,  api::coming_schedules, "When they come due from now on, the next first", "ComingList", "", "coming_days"},
        {"GET",    "/v1/schedules/{id}",   Access::user,  api::get_schedule,     "One of them, and when it came due", "Schedule"},
        {"POST",   "/v1/schedules/{id}/run", Access::user, api::run_schedule,    "Have it done now, beside its times", "Schedule"},
        {"POST",   "/v1/schedules/{id}/pause", Access::user, api::pause_schedule, "Leave it for now", "Schedule"},
        {"POST",   "/v1/schedules/{id}/resume", Access::user, api::resume_schedule, "Go on with it; what came due meanwhile is not made up for", "Schedule"},
        {"DELETE", "/v1/schedules/{id}",   Access::user,  api::end_schedule,     "End it", "Schedule"},
        {"GET",    "/v1/keys",             Access::admin, api::list_keys,        "Your keys, without their secrets", "KeyList"},
        {"POST",   "/v1/keys",             Access::admin, api::create_key,       "Make a key; its secret is shown once", "NewKey", "KeyRequest", "", 201},
        {"DELETE", "/v1/keys/{id}",        Access::admin, api::revoke_key,       "Revoke a key", "RevokedKey"},
        {"GET",    "/v1/live",             Access::user,  api::live,             "Your runs that have not ended, as server-sent events: told anew whenever that changes", "text/event-stream"},
        {"GET",    "/v1/agents",           Access::user,  api::list_agents,      "The agents that you may call, and what each may do", "AgentList"},
        {"GET",    "/v1/people",           Access::user,  api::list_people,      "Who there is", "PersonList"},
        {"GET",    "/v1/people/rights",    Access::user,  api::list_rights,      "What each may do with each tool, by the policy's word: your own, to the owner everybody's", "RightsList"},
        {"POST",   "/v1/people/{id}/rights", Access::admin, api::change_right,   "By the owner: what somebody may do with a tool; shipped takes the word back", "Right", "RightRequest"},
        {"POST",   "/v1/people",           Access::admin, api::add_person,       "Take one in", "Person", "PersonRequest", "", 201},
        {"POST",   "/v1/people/{id}",      Access::user,  api::change_person,    "How somebody is answered: yourself, or as the owner anybody", "Person", "PersonChange"},
        {"GET",    "/v1/pairings",         Access::admin, api::list_pairings,    "Who writes from elsewhere: those who wait with a code, and those who are known", "Pairings"},
        {"POST",   "/v1/pairings",         Access::admin, api::approve_pairing,  "Whoever was told the code is that person from now on", "KnownSender", "PairingRequest"},
        {"GET",    "/v1/outbox",           Access::user,  api::list_outbox,      "What left for people, the newest first: your own, to the owner everybody's", "OutboxList", "", "outbox_limit"},
        {"POST",   "/v0/admin/outbox/{id}/sent", Access::admin, api::tell_sent,  "By the owner: a message that is unknown has arrived", "OutboxTold"},
        {"POST",   "/v0/admin/outbox/{id}/unsent", Access::admin, api::tell_unsent, "By the owner: it has not arrived", "OutboxTold"},
        {"POST",   "/v0/admin/outbox/{id}/again", Access::admin, api::send_again, "By the owner: it has not arrived, and is sent once more", "OutboxTold"},
        {"GET",    "/v1/secrets",          Access::user,  api::list_secrets,     "The secrets that you may use, by name", "SecretList"},
        {"GET",    "/v1/settings",         Access::admin, api::list_settings,    "Every setting, its value and where it came from", "SettingList"},
        {"GET",    "/v1/prompts",          Access::admin, api::list_prompts,     "What agents are told, and which version is live", "PromptList"},
        {"GET",    "/v1/prompts/{name}",   Access::admin, api::get_prompt,       "The versions of one, the newest first", "Prompt"},
        {"POST",   "/v1/prompts/{name}",   Access::admin, api::save_prompt,      "Save a new version, as a draft", "SavedPrompt", "PromptText", "", 201},
        {"POST",   "/v1/prompts/{name}/release", Access::admin, api::release_prompt, "Make a version live for all runs that begin from then on", "LivePrompt", "PromptRelease"},
        {"POST",   "/v1/prompts/{name}/rollback", Access::admin, api::roll_back_prompt, "Make live again what was live before", "LivePrompt"},
        {"POST",   "/v1/session",          Access::open,  api::begin_session,    "Sign a browser in, by a link or by name and password; its cookie then stands for a key", "Session", "SessionRequest"},
        {"GET",    "/v1/session",          Access::user,  api::get_session,      "Who asks, and of a browser the token that its requests need", "Session"},
        {"DELETE", "/v1/session",          Access::user,  api::end_session,      "Sign the browser out", "EndedSession"},
        {"POST",   "/v1/session/password", Access::user,  api::set_password,     "Set the password by which you sign in; your other browsers are signed out", "PasswordState", "PasswordRequest"},
        {"POST",   "/v1/session/links",    Access::admin, api::make_link,        "A link that signs in whoever opens it first, within a quarter of an hour", "SignInLink", "SignInLinkRequest", "", 201},
        {"GET",    "/v1/sessions",         Access::user,  api::list_sessions,    "Where you are signed in", "SessionList"},
        {"DELETE", "/v1/sessions/{id}",    Access::user,  api::revoke_session,   "Sign one of your browsers out", "EndedSession"},
    };
    return table;
}
// clang-format on

namespace {

// Cuts the next segment off a path: "/a/b" → "a", leaving "/b".
std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, std::min(path.find('/'), path.size()));
    path.remove_prefix(segment.size());
    return segment;
}

// Fills parameters when the path, as it was sent, fits the pattern; "{id}" takes one non-empty
// segment, "{id*}" all that is left.
bool match(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& parameters) {
    while (pattern.starts_with('/') && path.starts_with('/')) {
        const auto wanted = take_segment(pattern);
        const bool rest = wanted.ends_with("*}");
        const std::string found = percent_decoded(rest ? std::exchange(path, {}).substr(1) : take_segment(path), false);
        if (!wanted.starts_with('{')) {
            if (wanted != found) return false;
        } else {
            if (found.empty()) return false;
            parameters[std::string(wanted.substr(1, wanted.size() - (rest ? 3 : 2)))] = found;
        }
    }
    return pattern.empty() && path.empty();
}

struct Found {
    const Route* route = nullptr;  // null: nothing at the path, or not by that method
    std::map<std::string, std::string> parameters;
    std::string allowed;           // methods that the path takes, by comma
};

Found find_route(std::string_view method, std::string_view path) {
    if (method == "HEAD") method = "GET";  // http_server leaves the body out
    Found out;
    for (const auto& route : routes()) {
        std::map<std::string, std::string> parameters;
        if (!match(route.path, path, parameters)) continue;
        out.allowed += std::string(route.method) + (route.method == std::string_view("GET") ? ", HEAD, " : ", ");
        if (method != route.method || out.route) continue;
        out.route = &route;
        out.parameters = std::move(parameters);
    }
    if (!out.allowed.empty()) out.allowed.resize(out.allowed.size() - 2);
    return out;
}

// A page of another host of ours may read the answer; check_origin has let it through.
void allow_origin(const std::string& origin, Response& response) {
    if (origin.empty()) return;
    response.headers["Vary"] = "Origin";
    response.headers["Access-Control-Allow-Origin"] = origin;
    response.headers["Access-Control-Expose-Headers"] = "X-Hearth-Conversation, X-Hearth-Run, X-Hearth-Ignored-Fields, X-Hearth-Loose-Tools, Retry-After, Location, Idempotent-Replayed";
}

Response options_response(const Request& request, const std::string& allowed) {
    Response response;
    response.status = 204;
    response.headers["Allow"] = allowed;
    if (request.header("access-control-request-method").empty()) return response;
    response.headers["Access-Control-Allow-Methods"] = allowed;
    if (const std::string& wanted = request.header("access-control-request-headers"); !wanted.empty())
        response.headers["Access-Control-Allow-Headers"] = wanted;
    response.headers["Access-Control-Max-Age"] = "600";
    return response;
}

net::Task<Response> dispatch_found(Request request, const Route& route, Services& services) {
    auto who = co_await services.auth.identify(request, route.access, services.blocking);
    if (const auto* refusal = std::get_if<Auth::Refusal>(&who)) {
        Response response = error_response(refusal->status, refusal->message, refusal->code);
        if (refusal->status == 401) response.headers["WWW-Authenticate"] = "Bearer";
        co_return response;
    }
    if (*route.body && services.may_accept)
        if (auto room = services.may_accept(); !room) co_return error_response(503, room.error().text(), "disk_full");
    co_return co_await route.run(std::move(request), std::get<Caller>(std::move(who)), services);
}

net::Task<Response> dispatch_known(Request request, Services& services) {
    Found found = find_route(request.method, request.raw_path);
    if (request.method == "OPTIONS" && request.raw_path == "*") found.allowed = "GET, HEAD, POST, DELETE";
    if (request.method == "OPTIONS" && !found.allowed.empty()) co_return options_response(request, found.allowed + ", OPTIONS");
    if (!found.route && !found.allowed.empty()) {
        Response response = error_response(405, request.path + " takes " + found.allowed + ", not " + request.method, "method_not_allowed");
        response.headers["Allow"] = found.allowed;
        co_return response;
    }
    if (!found.route)
        if (auto page = dashboard_file(request)) co_return *std::move(page);
    if (!found.route)
        if (auto page = page_of_nothing(request)) co_return *std::move(page);
    if (!found.route)
        co_return error_response(404, "there is nothing at " + request.path + "; GET /openapi.json lists what there is", "not_found");
    request.parameters = std::move(found.parameters);
    const std::string label = request.method + " " + request.path;
    std::exception_ptr failure;
    try {
        co_return co_await dispatch_found(std::move(request), *found.route, services);
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    co_return error_response(explain(failure, label, services));
}

net::Task<Response> dispatch(Request request, Services& services) {
    if (auto fine = services.auth.check_origin(request); !fine) co_return error_response(fine.error());
    const std::string origin = request.header("origin");
    Response response = co_await dispatch_known(std::move(request), services);
    allow_origin(origin, response);
    co_return response;
}

// Where the request would go; null: nowhere, whoever sends it.
const Route* addressed(const Request& request, const Services& services) {
    if (auto fine = services.auth.check_origin(request); !fine) return nullptr;
    return request.method == "OPTIONS" ? nullptr : find_route(request.method, request.raw_path).route;
}

net::Task<std::optional<Response>> refuse_by_head(Request request, Services& services) {
    const Route* const route = addressed(request, services);
    if (route && route->access == Access::open && *route->body) co_return error_response(413, "whoever is not known here sends no body of that size", "too_large");
    if (route) {
        const auto who = co_await services.auth.identify(request, route->access, services.blocking);
        if (std::holds_alternative<Caller>(who)) co_return std::nullopt;
    }
    Response refusal = co_await dispatch(std::move(request), services);
    co_return refusal;
}

}  // namespace

Gate gate(Services& services) {
    return [&services](Request request) { return refuse_by_head(std::move(request), services); };
}

Handler dispatcher(Services& services) {
    return [&services](Request request) { return dispatch(std::move(request), services); };
}

}  // namespace server
