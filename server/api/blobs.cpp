// What came with messages: which there is, its bytes as they came, and what they say remembered.
#include <cctype>

#include "server/api/handlers.h"
#include "server/api/id_json.h"
#include "server/api/memory_shapes.h"
#include "server/api/page.h"
#include "store/blobs.h"

namespace server::api {
namespace {

using base::Json;

Response no_such_blob() { return error_response(404, "there is no such blob", "not_found"); }

Json blob_json(const store::Blob& one) {
    return {{"id", one.id.text()}, {"object", "blob"}, {"name", one.name}, {"media", one.media}, {"type", one.type}, {"bytes", one.bytes}, {"state", one.state},
            {"digest", one.digest.empty() ? Json(nullptr) : Json(one.digest)}, {"error", one.error}, {"channel", one.bridge}, {"run", id_json(one.run)}, {"arrived", base::rfc3339(one.arrived)}};
}

// As RFC 6266 has it: nothing of a name becomes a header of its own.
std::string attachment(const std::string& name) {
    std::string out = "attachment; filename*=UTF-8''";
    char code[4];
    for (const char c : name) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
        std::snprintf(code, sizeof code, "%%%02X", unsigned(static_cast<unsigned char>(c)));
        out += plain ? std::string(1, c) : code;
    }
    return out;
}

struct Opened {
    store::Blob blob;
    base::Result<std::string> bytes;
};

// Nothing: there is none for this person.
net::Task<std::optional<Opened>> open_blob(const Request& request, const Caller& caller, Services& services) {
    const auto id = store::BlobId::parse(request.parameters.at("id"));
    if (!id) co_return std::nullopt;
    const auto open = [&](store::Tx& tx) -> std::optional<Opened> {
        auto blob = store::find_blob(tx, *id);
        if (!blob) return std::nullopt;
        auto bytes = services.blobs->read(tx, *blob);
        return Opened{*std::move(blob), std::move(bytes)};
    };
    co_return co_await services.db.read(agents::identity_of(caller.principal), open);
}

std::string called(const store::Blob& blob) { return blob.name.empty() ? blob.media + " " + blob.id.text() : blob.name; }

}  // namespace

net::Task<Response> list_blobs(Request request, Caller caller, Services& services) {
    const auto page = page_of<store::BlobId>(request, "a blob's id");
    if (page.refusal) co_return *page.refusal;
    const std::string of = request.query_value("conversation");
    const auto conversation = base::ConversationId::parse(of);
    if (!of.empty() && !conversation) co_return error_response(400, "conversation must be a conversation's id", "invalid_argument", "conversation");
    const auto list = [&](store::Tx& tx) { return store::list_blobs(tx, page.limit, page.before, conversation); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(blob_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> about_blob(Request request, Caller caller, Services& services) {
    const auto id = store::BlobId::parse(request.parameters["id"]);
    if (!id) co_return no_such_blob();
    const auto find = [&](store::Tx& tx) { return store::find_blob(tx, *id); };
    const auto blob = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!blob) co_return no_such_blob();
    co_return json_response(blob_json(*blob));
}

// Whatever it calls itself, no browser is to make anything of it but a file.
net::Task<Response> get_blob(Request request, Caller caller, Services& services) {
    auto opened = co_await open_blob(request, caller, services);
    if (!opened) co_return no_such_blob();
    if (!opened->bytes) co_return error_response(opened->bytes.error());
    Response response;
    response.content_type = "application/octet-stream";
    response.headers = {{"Content-Disposition", attachment(called(opened->blob))}, {"Content-Security-Policy", "sandbox; default-src 'none'"}, {"Cache-Control", "private, no-store"}};
    response.body = *std::move(opened->bytes);
    co_return response;
}

net::Task<Response> remember_blob(Request request, Caller caller, Services& services) {
    auto opened = co_await open_blob(request, caller, services);
    if (!opened) co_return no_such_blob();
    if (!opened->bytes) co_return error_response(opened->bytes.error());
    GivenFile file{called(opened->blob), opened->blob.type, *std::move(opened->bytes)};
    co_return co_await remember_file(std::move(file), std::move(caller), services);
}

net::Task<Response> forget_blob(Request request, Caller caller, Services& services) {
    const auto id = store::BlobId::parse(request.parameters["id"]);
    if (!id) co_return no_such_blob();
    const auto forget = [&](store::Tx& tx) { return store::forget_blob(tx, *id); };
    const bool gone = co_await services.db.run(agents::identity_of(caller.principal), forget);
    if (!gone) co_return no_such_blob();
    co_await sweep_blobs(caller, services);
    co_return json_response({{"id", id->text()}, {"object", "blob"}, {"forgotten", true}});
}

}  // namespace server::api
