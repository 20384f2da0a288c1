// What runs ask the caller for, and his word.
#include "server/api/agent_answer.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/run_shapes.h"
#include "store/approvals.h"
#include "store/runs.h"

namespace server::api {
namespace {

using base::Code;

struct Word {
    bool grant = false;
    std::vector<std::string> ignored;
};

base::Result<Word> read_word(const std::string& body) {
    auto json = object_of(body);
    if (!json) return std::move(json).error();
    auto decision = base::optional_string(*json, "decision");
    if (!decision) return std::move(decision).error();
    if (*decision != "grant" && *decision != "deny")
        return base::error(Code::invalid_argument, "decision must be \"grant\" or \"deny\"" + (*decision ? ", found \"" + **decision + "\"" : std::string()));
    return Word{*decision == "grant", fields_beside({"decision"}, *json)};
}

}  // namespace

net::Task<Response> list_approvals(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::open_approvals(tx); };
    base::Json data = base::Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(approval_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> get_approval(Request request, Caller caller, Services& services) {
    const auto id = store::ApprovalId::parse(request.parameters["id"]);
    auto find = [&](store::Tx& tx) -> base::Json {
        const auto found = id ? store::find_approval(tx, *id) : std::nullopt;
        if (!found) return nullptr;
        base::Json out = approval_json(*found);
        const auto run = store::find_run(tx, found->request.run);
        out["run_status"] = run ? run->status : "";
        return out;
    };
    const base::Json found = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (found.is_null()) co_return error_response(404, "there is no such approval", "not_found");
    co_return json_response(found);
}

namespace {

base::Result<store::Approval> decide_open(store::Tx& tx, base::RunId run, bool grant, const std::string& via) {
    for (const store::Approval& one : store::approvals_of(tx, run))
        if (one.state == store::Approval::State::open) return store::decide_approval(tx, one.id, grant, via);
    return base::error(Code::conflict, "the run waits for no word");
}

// The word of who may direct the run.
base::Result<store::Approval> decide_as(const Caller& caller, const Services& services, store::Tx& tx, base::RunId id, const std::function<base::Result<store::Approval>()>& decide) {
    const auto run = store::find_run(tx, id);
    if (!run) return base::error(Code::not_found, "there is no such run");
    if (!may_direct(caller, *run, services)) return may_not_direct(*run);
    return decide();
}

net::Task<Response> decide(std::string body, Caller caller, Services& services, std::function<base::Result<store::Approval>(store::Tx&, bool grant)> in) {
    const auto word = read_word(body);
    if (!word) co_return error_response(word.error(), "decision");
    auto work = [&](store::Tx& tx) { return in(tx, word->grant); };
    const auto decided = co_await services.db.run(agents::identity_of(caller.principal), work);
    if (!decided) co_return error_response(decided.error());
    Response response = json_response(approval_json(*decided));
    name_ignored(response, word->ignored);
    co_return response;
}

}  // namespace

net::Task<Response> decide_approval(Request request, Caller caller, Services& services) {
    const auto id = store::ApprovalId::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is no such approval", "not_found");
    std::function<base::Result<store::Approval>(store::Tx&, bool)> in = [id = *id, caller, &services](store::Tx& tx, bool grant) -> base::Result<store::Approval> {
        const auto asked = store::find_approval(tx, id);
        if (!asked) return base::error(Code::not_found, "there is no approval " + id.text());
        return decide_as(caller, services, tx, asked->request.run, [&] { return store::decide_approval(tx, id, grant, caller.principal.via); });
    };
    co_return co_await decide(std::move(request.body), std::move(caller), services, std::move(in));
}

net::Task<Response> approve_run(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is no such run", "not_found");
    std::function<base::Result<store::Approval>(store::Tx&, bool)> in = [id = *id, caller, &services](store::Tx& tx, bool grant) {
        return decide_as(caller, services, tx, id, [&] { return decide_open(tx, id, grant, caller.principal.via); });
    };
    co_return co_await decide(std::move(request.body), std::move(caller), services, std::move(in));
}

}  // namespace server::api
