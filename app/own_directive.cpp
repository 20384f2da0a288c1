// hearth directive with a key: what the key's person wants for herself, through the running server. Nothing of the database is needed.
#include <algorithm>
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/key_file.h"
#include "app/table.h"
#include "app/terminal.h"

namespace app {
namespace {

using base::Code;
using base::Json;

base::Result<Json> ask(const LoadedSettings& loaded, const std::string& key_file, const std::string& method, const std::string& path, const Json& body = nullptr) {
    const auto key = key_in_file("--key", key_file);
    if (!key) return key.error();
    Ask ask{loaded.settings.server.socket, method, path, body.is_null() ? std::string() : base::dump(body)};
    ask.fields["Authorization"] = "Bearer " + *key;
    return answer_of(ask_server(ask));
}

}  // namespace

int own_directive_list(const LoadedSettings& loaded, const std::string& key_file, bool json) {
    const auto found = ask(loaded, key_file, "GET", "/v1/directives");
    if (!found) return complain(found.error());
    const Json& data = (*found)["data"];
    Table table;
    for (const Json& one : data) table.add({one.value("name", ""), one.value("of", "") == "house" ? "the house" : "you", "until " + one.value("expires", "").substr(0, 10), one.value("text", "")});
    if (json) print_json(data);
    else if (data.empty()) std::puts("there are none");
    else table.print();
    return 0;
}

int own_directive_add(const LoadedSettings& loaded, const std::string& key_file, const std::string& name, const std::string& text, int days, bool json) {
    const auto added = ask(loaded, key_file, "POST", "/v1/directives", {{"name", name}, {"text", text}, {"days", days}});
    if (!added) return complain(added.error());
    if (json) print_json(*added);
    else std::printf("added %s for you, until %s\n", visible(name).c_str(), added->value("expires", "").substr(0, 10).c_str());
    return 0;
}

int own_directive_remove(const LoadedSettings& loaded, const std::string& key_file, const std::string& name, bool json) {
    const auto none = base::error(Code::not_found, "there is no directive '" + name + "' that you have added for yourself", "hearth directive list --key FILE shows them");
    const bool possible = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    if (!possible) return complain(none);
    const auto removed = ask(loaded, key_file, "DELETE", "/v1/directives/" + name);
    if (!removed) return complain(removed.error().code == Code::not_found && removed.error().remedy.empty() ? none : removed.error());
    if (json) print_json(*removed);
    else std::printf("removed %s\n", name.c_str());
    return 0;
}

}  // namespace app
