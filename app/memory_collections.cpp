// hearth memory collection: named lists whose items hold to a schema, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/json_text.h"
#include "app/terminal.h"

namespace app {
namespace {

using base::Code;
using base::Json;

constexpr const char* kCollections = "/v1/memory/collections";

void print_collection(const Json& one) { std::printf("%s: %ld items\n", text_of(one, "fields").c_str(), one["items"].get<long>()); }

void print_item(const Json& one) {
    std::printf("%s  %s  %s%s\n", text_of(one, "id").c_str(), text_of(one, "changed").substr(0, 10).c_str(), visible(base::dump(one["item"])).c_str(), one["trusted"].get<bool>() ? "" : "  (from a text, not said by you)");
}

}  // namespace

int collection_create(const LoadedSettings& loaded, const std::string& name, const std::string& schema, bool json) {
    const auto parsed = base::parse_ordered_json(schema);
    if (!parsed) return complain(base::error(Code::invalid_argument, "the schema is no JSON: " + parsed.error().message, "see hearth memory collection create --help"));
    const base::OrderedJson body = {{"name", name}, {"schema", *parsed}};
    const auto made = answer_of(ask_server({.socket = loaded.settings.server.socket, .method = "POST", .path = kCollections, .body = body.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace)}));
    if (!made) return complain(made.error());
    if (json) print_json(*made, 2);
    else print_collection(*made);
    return 0;
}

int collection_list(const LoadedSettings& loaded, bool json) {
    const auto all = ask_server_json(loaded.settings.server.socket, "GET", kCollections);
    if (!all) return complain(all.error());
    if (json) return print_json((*all)["data"], 2), 0;
    if ((*all)["data"].empty()) std::puts("there is no collection yet");
    for (const Json& one : (*all)["data"]) print_collection(one);
    return 0;
}

int collection_show(const LoadedSettings& loaded, const std::string& name, int limit, bool json) {
    const auto found = ask_server_json(loaded.settings.server.socket, "GET", std::string(kCollections) + "/" + name + "?limit=" + std::to_string(limit));
    if (!found) return complain(found.error());
    if (json) return print_json(*found, 2), 0;
    print_collection(*found);
    for (const Json& one : (*found)["data"]) print_item(one);
    return 0;
}

int collection_add(const LoadedSettings& loaded, const std::string& name, const std::string& item, bool json) {
    const auto parsed = base::parse_json(item);
    if (!parsed) return complain(base::error(Code::invalid_argument, "the item is no JSON: " + parsed.error().message, "such as '{\"title\": \"Bread\"}'"));
    const auto added = ask_server_json(loaded.settings.server.socket, "POST", std::string(kCollections) + "/" + name, {{"item", *parsed}});
    if (!added) return complain(added.error());
    if (json) print_json(*added, 2);
    else print_item(*added);
    return 0;
}

int collection_remove(const LoadedSettings& loaded, const std::string& name) {
    const auto removed = ask_server_json(loaded.settings.server.socket, "DELETE", std::string(kCollections) + "/" + name);
    if (!removed) return complain(removed.error());
    std::printf("%s is gone, with its items\n", visible(name).c_str());
    return 0;
}

}  // namespace app
