// What runs ask the caller for, and his word.
#include "server/api/handlers.h"
#include "store/approvals.h"

namespace server::api {
namespace {

using base::Code;

base::Json approval_json(const store::Approval& approval) {
    const auto& asked = approval.request;
    return {{"id", approval.id.text()}, {"object", "approval"},  {"run_id", asked.run.text()},
            {"tool", asked.tool},       {"arguments", asked.arguments}, {"rule", asked.rule},
            {"reason", asked.reason},   {"state", store::name(approval.state)},
            {"asked", base::rfc3339(approval.asked)}, {"expires", base::rfc3339(approval.expires)}};
}

struct Word {
    bool grant = false;
    std::vector<std::string> ignored;
};

base::Result<Word> read_word(const std::string& body) {
    auto json = base::parse_json(body);
    if (!json) return std::move(json).error();
    if (!json->is_object()) return base::error(Code::invalid_argument, "the body must be an object");
    auto decision = base::optional_string(*json, "decision");
    if (!decision) return std::move(decision).error();
    if (*decision != "grant" && *decision != "deny")
        return base::error(Code::invalid_argument, "decision must be \"grant\" or \"deny\"" + (*decision ? ", found \"" + **decision + "\"" : std::string()));
    Word word{*decision == "grant", {}};
    for (const auto& [field, value] : json->items())
        if (field != "decision") word.ignored.push_back(field);
    return word;
}

}  // namespace

net::Task<Response> list_approvals(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::open_approvals(tx); };
    base::Json data = base::Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(approval_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> decide_approval(Request request, Caller caller, Services& services) {
    const auto id = store::ApprovalId::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is no such approval", "not_found");
    const auto word = read_word(request.body);
    if (!word) co_return error_response(word.error(), "decision");
    auto decide = [&](store::Tx& tx) { return store::decide_approval(tx, *id, word->grant, caller.principal.via); };
    const auto decided = co_await services.db.run(agents::identity_of(caller.principal), decide);
    if (!decided) co_return error_response(decided.error());
    Response response = json_response(approval_json(*decided));
    name_ignored(response, word->ignored);
    co_return response;
}

}  // namespace server::api
