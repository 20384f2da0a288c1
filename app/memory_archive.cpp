// hearth memory archive: the repository of what was said, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/json_text.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {

using base::Code;

int memory_archive(const LoadedSettings& loaded, bool json) {
    const auto answer = ask_server_json(loaded.settings.server.socket, "POST", "/v1/memory/archive");
    if (!answer) return complain(answer.error());
    const auto number = [&](const char* field) { return (*answer)[field].get<int>(); };
    if (json) print_json(*answer, 2);
    else if (number("segments") + number("episodes") == 0) std::puts("all that was said is in the archive already");
    else std::printf("%d segments and %d episodes, in %d commits\n", number("segments"), number("episodes"), number("commits"));
    return 0;
}

int memory_archive_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    if (!base::Uuid::parse(id)) return complain(base::error(Code::invalid_argument, "'" + id + "' is no id", "hearth memory why shows the ids of segments and episodes"));
    const auto answer = ask_server_json(loaded.settings.server.socket, "GET", "/v1/memory/archive/" + id);
    if (!answer) return complain(answer.error());
    if (json) return print_json(*answer, 2), 0;
    std::printf("%s %s of conversation %s, %s\n", text_of(*answer, "kind").c_str(), text_of(*answer, "id").c_str(), text_of(*answer, "conversation_id").c_str(), text_of(*answer, "began").c_str());
    if ((*answer)["run_id"].is_string()) std::printf("answered in run %s\n", text_of(*answer, "run_id").c_str());
    std::printf("\n%s", text_of(*answer, "text").c_str());
    return 0;
}

}  // namespace app
