// Documents that are remembered: they come in as text, and are found by their sections.
#include "memory/ingest.h"
#include "server/api/handlers.h"
#include "server/api/memory_shapes.h"
#include "server/api/page.h"
#include "store/documents.h"
#include "store/storable.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kNameBytes = 500;

Response no_such_document() { return error_response(404, "there is no such document", "not_found"); }

Json document_json(const store::Document& one) {
    return {{"id", one.id.text()}, {"object", "document"}, {"name", one.name}, {"bytes", one.bytes}, {"sections", one.sections ? Json(*one.sections) : Json(nullptr)}, {"added", base::rfc3339(one.added)}};
}

struct Given {
    std::string name, text;
    std::vector<std::string> ignored;
};

base::Result<Given> read_given(const std::string& body, std::string& param) {
    const auto json = base::parse_json(body);
    if (!json) return json.error();
    if (!json->is_object()) return base::error(Code::invalid_argument, "the body must be a JSON object");
    Given out;
    for (auto [field, to] : {std::pair{"name", &out.name}, {"text", &out.text}}) {
        param = field;
        auto value = base::string_field(*json, field);
        if (!value) return std::move(value).error();
        if (value->empty()) return base::error(Code::invalid_argument, std::string(field) + " is empty");
        if (!store::is_storable(*value)) return base::error(Code::invalid_argument, std::string(field) + " holds a NUL: it is no text", "make it one: pdftotext FILE -, or pandoc -t markdown FILE");
        *to = *std::move(value);
    }
    param = "name";
    if (out.name.size() > kNameBytes) return base::error(Code::invalid_argument, "name has " + std::to_string(out.name.size()) + " bytes, at most " + std::to_string(kNameBytes) + " expected");
    param.clear();
    for (const auto& [field, value] : json->items())
        if (field != "name" && field != "text") out.ignored.push_back(field);
    return out;
}

}  // namespace

net::Task<Response> list_documents(Request request, Caller caller, Services& services) {
    const auto page = page_of<store::DocumentId>(request, "a document's id");
    if (page.refusal) co_return *page.refusal;
    const auto list = [&](store::Tx& tx) { return store::list_documents(tx, page.limit, page.before); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(document_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> remember_text(std::string name, std::string text, Caller caller, Services& services) {
    const store::Identity who = agents::identity_of(caller.principal);
    const auto add = [&](store::Tx& tx) { return store::add_document(tx, name, text); };
    const store::Document added = co_await services.db.run(who, add);
    // It is committed: from here on whoever breaks off leaves it for the next ingestion.
    co_await memory::ingest(services.db, who, base::StopToken());
    const auto find = [&](store::Tx& tx) { return store::find_document(tx, added.id); };
    const auto now = co_await services.db.read(who, find);
    if (!now) co_return no_such_document();
    co_return json_response(document_json(*now), 201);
}

net::Task<Response> add_document(Request request, Caller caller, Services& services) {
    std::string param;
    const auto given = read_given(request.body, param);
    if (!given) co_return error_response(given.error(), param);
    Response response = co_await remember_text(given->name, given->text, std::move(caller), services);
    name_ignored(response, given->ignored);
    co_return response;
}

net::Task<Response> forget_document(Request request, Caller caller, Services& services) {
    const auto preview = query_flag(request, "preview");
    if (!preview) co_return error_response(preview.error(), "preview");
    const auto id = store::DocumentId::parse(request.parameters["id"]);
    if (!id) co_return no_such_document();
    const auto forget = [&](store::Tx& tx) { return store::forget_document(tx, *id, !*preview); };
    const auto gone = co_await services.db.run(agents::identity_of(caller.principal), forget);
    if (gone.empty()) co_return no_such_document();
    if (!*preview) co_await forget_copies(caller, services);
    co_return forgotten_response(id->text(), *preview, gone);
}

}  // namespace server::api
