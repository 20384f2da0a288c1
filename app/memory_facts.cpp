// hearth memory list, show, why, ingest, documents, consolidate and forget: what is remembered, through the running server.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/client.h"
#include "app/commands.h"
#include "app/json_text.h"
#include "app/terminal.h"
#include "base/id.h"
#include "store/digest.h"

namespace app {
namespace {

using base::Code;
using base::Json;

base::Error no_fact(const std::string& id) { return base::error(Code::not_found, "there is no fact '" + id + "'", "hearth memory list shows which there are"); }

// Of the first of these kinds that has it.
base::Result<Json> ask(const LoadedSettings& loaded, const std::string& method, const std::string& id, std::initializer_list<const char*> kinds, const std::string& query = {}) {
    if (!base::Uuid::parse(id)) return no_fact(id);
    for (const char* kind : kinds) {
        auto answer = ask_server_json(loaded.settings.server.socket, method, std::string("/v1/memory/") + kind + "/" + id + query);
        if (answer || answer.error().code != Code::not_found) return answer;
    }
    return no_fact(id);
}

std::string day_of(const Json& json, const char* field) { return text_of(json, field).substr(0, 10); }

void print_line(const Json& fact) {
    std::printf("%s  %s  %s%s%s\n", text_of(fact, "id").c_str(), day_of(fact, "told").c_str(), text_of(fact, "text").c_str(), fact["until"].is_null() ? "" : ("  (until " + day_of(fact, "until") + ")").c_str(),
                fact["document"].is_string() ? ("  (from the document " + visible(text_of(fact, "document")) + ")").c_str() : !fact["trusted"].get<bool>() ? "  (from a text, not said by you)" : fact["noted"].get<bool>() ? "  (noted from what you said)" : "");
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
        if (one["segment"].is_string()) std::printf("  noted from segment %s", text_of(one, "segment").c_str());
        if (one["section"].is_string()) std::printf("  noted from section %s of the document %s", text_of(one, "section").c_str(), visible(text_of(one, "document")).c_str());
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

base::Result<std::string> bytes_of_file(const std::string& file) {
    if (std::filesystem::is_directory(file)) return base::error(base::Code::invalid_argument, file + " is a folder", "name the files in it");
    std::ifstream in(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) return base::error(Code::io, file + " cannot be read");
    return bytes;
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
    const auto fact = ask(loaded, "GET", id, {"facts"});
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
        const std::string kind = text_of(one, "kind");
        std::string from = kind + " " + text_of(one, kind.c_str());
        if (one.contains("name")) from += " of the document " + text_of(one, "name");
        if (one.contains("run") && one["run"].is_string()) from += ", told in run " + text_of(one, "run");
        std::printf("%s\n  %s on %s; found because: %s\n", text_of(one, "text").c_str(), from.c_str(), day_of(one, "told").c_str(), text_of(one, "why").c_str());
    }
    return 0;
}

int memory_ingest(const LoadedSettings& loaded, const std::vector<std::string>& files, bool json) {
    Json out = Json::array();
    for (const std::string& file : files) {
        const auto bytes = bytes_of_file(file);
        if (!bytes) return complain(bytes.error());
        const std::string name = std::filesystem::path(file).filename().string();
        const auto kept = ask_server_json(loaded.settings.server.socket, "POST", "/v1/memory/documents", {{"name", name}, {"file", store::base64(*bytes)}});
        if (!kept) return complain(base::error(kept.error().code, file + ": " + kept.error().message, kept.error().remedy));
        if (!json) print_document(*kept);
        out.push_back(*kept);
    }
    if (json) print_json(out, 2);
    return 0;
}

int memory_documents(const LoadedSettings& loaded, int limit, bool json) {
    const auto documents = ask_server_json(loaded.settings.server.socket, "GET", "/v1/memory/documents?limit=" + std::to_string(limit));
    if (!documents) return complain(documents.error());
    if (json) return print_json((*documents)["data"], 2), 0;
    if ((*documents)["data"].empty()) std::puts("no document is remembered yet");
    for (const Json& one : (*documents)["data"])
        std::printf("%s  %s  %s  %s\n", text_of(one, "id").c_str(), text_of(one, "added").substr(0, 10).c_str(), text_of(one, "name").c_str(),
                    one["sections"].is_null() ? "its sections are still to be made" : (std::to_string(one["sections"].get<int>()) + " sections").c_str());
    return 0;
}

int memory_health(const LoadedSettings& loaded, bool json) {
    const auto answer = ask_server_json(loaded.settings.server.socket, "GET", "/v1/memory/health");
    if (!answer) return complain(answer.error());
    if (json) return print_json(*answer, 2), 0;
    const auto number = [&](const char* kind, const char* field) { return (*answer)[kind][field].get<long>(); };
    std::printf("facts      %ld hold, %ld were replaced; told again %ld times; %ld from texts, %ld of groups\n", number("facts", "held"), number("facts", "replaced"), number("facts", "told_again"), number("facts", "from_texts"),
                number("facts", "of_groups"));
    std::printf("segments   %ld, %ld of them not summed up\n", number("segments", "all"), number("segments", "unsummed"));
    std::printf("episodes   %ld%s\n", number("episodes", "all"), (*answer)["episodes"]["until"].is_null() ? "" : (", until " + day_of((*answer)["episodes"], "until")).c_str());
    std::printf("documents  %ld with %ld sections, %ld still to be read; %ld sections still to be read for facts\n", number("documents", "all"), number("documents", "sections"), number("documents", "open"), number("documents", "unread"));
    std::printf("archive    %ld segments and episodes, %ld still to be put there\n", number("archive", "held"), number("archive", "open"));
    return 0;
}

int memory_consolidate(const LoadedSettings& loaded, int seconds, bool json) {
    const auto answer = ask_server_json(loaded.settings.server.socket, "POST", "/v1/memory/consolidate?seconds=" + std::to_string(seconds));
    if (!answer) return complain(answer.error());
    if (json) print_json(*answer, 2);
    else {
        const auto number = [&](const char* field) { return (*answer)[field].get<int>(); };
        std::printf("%d summaries of %d messages with their answers, %d facts of %d%s%s%s\n", number("episodes"), number("segments"), number("facts"), number("read"),
                    (number("sections") > 0 ? " and of " + std::to_string(number("sections")) + " sections of documents" : "").c_str(),
                    (number("vectors") > 0 ? ", " + std::to_string(number("vectors")) + " vectors" : "").c_str(), (*answer)["done"].get<bool>() ? "; there is nothing left" : "");
    }
    if ((*answer)["error"].is_null()) return 0;
    return complain(base::error(Code::unavailable, text_of(*answer, "error"), "what is left is read another time"));
}

int memory_forget(const LoadedSettings& loaded, const std::string& id, bool yes, bool json) {
    const auto answer = ask(loaded, "DELETE", id, {"facts", "documents"}, yes ? "" : "?preview=true");
    if (!answer) return complain(answer.error());
    if (json) return print_json(*answer, 2), 0;
    print_forgotten(*answer);
    if (!yes) std::puts("nothing is forgotten yet: add --yes");
    return 0;
}

}  // namespace app
