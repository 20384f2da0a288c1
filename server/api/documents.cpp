// Documents that are remembered: they come in as text or as files, and are found by their sections; and what a file says, for whoever asks with it.
#include "memory/extract.h"
#include "memory/ingest.h"
#include "memory/reader.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/memory_shapes.h"
#include "server/api/page.h"
#include "store/digest.h"
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
    GivenFile file;
    std::vector<std::string> ignored;
};

base::Result<std::string> text_field(const Json& json, const char* field) {
    auto value = base::string_field(json, field);
    if (!value) return value;
    if (value->empty()) return base::error(Code::invalid_argument, std::string(field) + " is empty");
    if (!store::is_storable(*value)) return base::error(Code::invalid_argument, std::string(field) + " holds a NUL: it is no text", "give the file as it is, in base64, as \"file\"");
    return value;
}

base::Result<std::string> bytes_field(const Json& json, const char* field) {
    const auto value = base::string_field(json, field);
    if (!value) return value.error();
    auto bytes = store::from_base64(*value);
    if (!bytes) return base::error(Code::invalid_argument, std::string(field) + " is no base64", "the standard alphabet, padded: base64 -w0 FILE");
    return *std::move(bytes);
}

// A name, and either a text or the bytes of a file.
base::Result<Given> read_given(const std::string& body, std::string& param) {
    const auto json = object_of(body);
    if (!json) return json.error();
    Given out;
    param = "name";
    auto name = text_field(*json, "name");
    if (!name) return std::move(name).error();
    if (name->size() > kNameBytes) return base::error(Code::invalid_argument, "name has " + std::to_string(name->size()) + " bytes, at most " + std::to_string(kNameBytes) + " expected");
    const bool is_file = json->contains("file");
    if (is_file && json->contains("text")) return base::error(Code::invalid_argument, "text and file are both given", "give one of them");
    param = is_file ? "file" : "text";
    auto bytes = is_file ? bytes_field(*json, "file") : text_field(*json, "text");
    if (!bytes) return std::move(bytes).error();
    const std::string type(is_file ? memory::type_of(*name, *bytes) : "text/plain");
    out.file = {*std::move(name), type, *std::move(bytes)};
    param.clear();
    out.ignored = fields_beside({"name", "text", "file"}, *json);
    return out;
}

// Whatever is wrong with a file is wrong with the request; that nothing here reads it is not.
Response unread_response(base::Error why) {
    if (why.code != Code::unavailable) why.code = Code::invalid_argument;
    return error_response(why);
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

net::Task<Response> remember_file(GivenFile file, Caller caller, Services& services) {
    const std::string digest = store::sha256_hex(file.bytes);
    const auto said = co_await services.reader->read(std::move(file.type), file.name, std::move(file.bytes), memory::kMostOfDocument);
    if (!said) co_return unread_response(said.error());
    const store::Identity who = agents::identity_of(caller.principal);
    const auto add = [&](store::Tx& tx) { return store::add_document(tx, file.name, said->text, digest); };
    const store::Document added = co_await services.db.run(who, add);
    // It is committed: from here on whoever breaks off leaves it for the next ingestion.
    co_await memory::ingest(services.db, who, base::StopToken());
    const auto find = [&](store::Tx& tx) { return store::find_document(tx, added.id); };
    const auto now = co_await services.db.read(who, find);
    if (!now) co_return no_such_document();
    Json json = document_json(*now);
    json["cut"] = said->cut;
    co_return json_response(json, 201);
}

net::Task<Response> add_document(Request request, Caller caller, Services& services) {
    std::string param;
    auto given = read_given(request.body, param);
    if (!given) co_return error_response(given.error(), param);
    Response response = co_await remember_file(std::move(given->file), std::move(caller), services);
    name_ignored(response, given->ignored);
    co_return response;
}

net::Task<Response> read_file(Request request, Caller, Services& services) {
    std::string param;
    auto given = read_given(request.body, param);
    if (!given) co_return error_response(given.error(), param);
    const auto said = co_await services.reader->read(std::move(given->file.type), given->file.name, std::move(given->file.bytes), services.reader->most_shown());
    if (!said) co_return unread_response(said.error());
    Response response = json_response({{"object", "file.text"}, {"name", given->file.name}, {"text", said->text}, {"cut", said->cut}});
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
