// hearth memory list, show, why and forget: what is remembered, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

using base::Code;
using base::Json;

base::Error no_fact(const std::string& id) { return base::error(Code::not_found, "there is no fact '" + id + "'", "hearth memory list shows which there are"); }

base::Result<Json> ask(const LoadedSettings& loaded, const std::string& method, const std::string& id, const std::string& query = {}) {
    if (!base::Uuid::parse(id)) return no_fact(id);
    auto answer = ask_server_json(loaded.settings.server.socket, method, "/v1/memory/facts/" + id + query);
    if (!answer && answer.error().code == Code::not_found) return no_fact(id);
    return answer;
}

std::string text_of(const Json& json, const char* field) { return json[field].is_string() ? visible(json[field].get<std::string>()) : ""; }
std::string day_of(const Json& json, const char* field) { return text_of(json, field).substr(0, 10); }

void print_line(const Json& fact) {
    std::printf("%s  %s  %s%s%s\n", text_of(fact, "id").c_str(), day_of(fact, "told").c_str(), text_of(fact, "text").c_str(), fact["until"].is_null() ? "" : ("  (until " + day_of(fact, "until") + ")").c_str(),
                fact["trusted"].get<bool>() ? "" : "  (from a text, not said by you)");
}

void print_fact(const Json& fact) {
    print_line(fact);
    if (fact["about"].is_string()) std::printf("  about         %s\n", text_of(fact, "about").c_str());
    std::printf("  holds         from %s%s\n", day_of(fact, "from").c_str(), fact["until"].is_null() ? "" : (" until " + day_of(fact, "until")).c_str());
    if (fact["replaced_by"].is_string()) std::printf("  replaced by   %s\n", text_of(fact, "replaced_by").c_str());
    for (const Json& older : fact["replaces"]) std::printf("  replaces      %s\n", older.get<std::string>().c_str());
    std::printf("  observed      %d times, last on %s\n", fact["seen"].get<int>(), day_of(fact, "last_seen").c_str());
    for (const Json& one : fact["sightings"]) {
        std::printf("    %s  %s", text_of(one, "at").substr(0, 16).c_str(), one["run_id"].is_null() ? "in no run" : ("run " + text_of(one, "run_id")).c_str());
        if (!text_of(one, "quote").empty()) std::printf("  \"%s\"", one_line(text_of(one, "quote"), 100).c_str());
        std::puts(one["trusted"].get<bool>() ? "" : "  from a text");
    }
}

void print_forgotten(const Json& answer) {
    const bool preview = answer["preview"].get<bool>();
    std::puts(preview ? "would go:" : "gone:");
    for (const auto& [kind, number] : answer["counts"].items())
        if (number.get<long>() > 0) std::printf("  %ld %s\n", number.get<long>(), kind.c_str());
    std::puts(preview ? "would stay:" : "what stays:");
    for (const Json& what : answer["stays"]) std::printf("  %s\n", visible(what.get<std::string>()).c_str());
}

std::string percent_encoded(const std::string& text) {
    std::string out;
    char code[4];
    for (const char c : text) {
        std::snprintf(code, sizeof code, "%%%02X", unsigned(static_cast<unsigned char>(c)));
        out += code;
    }
    return out;
}

}  // namespace

int memory_list(const LoadedSettings& loaded, int limit, bool all, bool json) {
    const auto facts = ask_server_json(loaded.settings.server.socket, "GET", "/v1/memory/facts?limit=" + std::to_string(limit) + (all ? "&all=true" : ""));
    if (!facts) return complain(facts.error());
    if (json) print_json((*facts)["data"], 2);
    else if ((*facts)["data"].empty()) std::puts("nothing is remembered yet");
    else
        for (const Json& fact : (*facts)["data"]) print_line(fact);
    return 0;
}

int memory_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto fact = ask(loaded, "GET", id);
    if (!fact) return complain(fact.error());
    if (json) print_json(*fact, 2);
    else print_fact(*fact);
    return 0;
}

int memory_why(const LoadedSettings& loaded, const std::string& question, bool json) {
    const auto found = ask_server_json(loaded.settings.server.socket, "GET", "/v1/memory/recall?question=" + percent_encoded(question));
    if (!found) return complain(found.error());
    if (json) return print_json((*found)["data"], 2), 0;
    if ((*found)["data"].empty()) std::puts("nothing that is remembered speaks of it");
    for (const Json& one : (*found)["data"]) {
        std::printf("%s\n", text_of(one, "text").c_str());
        std::printf("  fact %s, told on %s %s; found because: %s\n", text_of(one, "fact").c_str(), day_of(one, "told").c_str(), one["run"].is_null() ? "in no run" : ("in run " + text_of(one, "run")).c_str(),
                    text_of(one, "why").c_str());
    }
    return 0;
}

int memory_consolidate(const LoadedSettings& loaded, int seconds, bool json) {
    const auto answer = ask_server_json(loaded.settings.server.socket, "POST", "/v1/memory/consolidate?seconds=" + std::to_string(seconds));
    if (!answer) return complain(answer.error());
    if (json) print_json(*answer, 2);
    else std::printf("%d summaries of %d messages with their answers%s\n", (*answer)["episodes"].get<int>(), (*answer)["segments"].get<int>(), (*answer)["done"].get<bool>() ? "; there is nothing left" : "");
    if ((*answer)["error"].is_null()) return 0;
    return complain(base::error(Code::unavailable, text_of(*answer, "error"), "what is left is summed up another time"));
}

int memory_forget(const LoadedSettings& loaded, const std::string& id, bool yes, bool json) {
    const auto answer = ask(loaded, "DELETE", id, yes ? "" : "?preview=true");
    if (!answer) return complain(answer.error());
    if (json) return print_json(*answer, 2), 0;
    print_forgotten(*answer);
    if (!yes) std::puts("nothing is forgotten yet: add --yes");
    return 0;
}

}  // namespace app
