// hearth trace replay: a run's calls of models, each asked again through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/line_diff.h"
#include "app/page.h"
#include "app/run_named.h"
#include "app/terminal.h"

namespace app {
namespace {

using base::Json;

// As the difference is looked at: the text, and a line a call.
std::string said(const Json& reply) {
    if (reply.contains("error")) return "error: " + reply["error"].get<std::string>() + "\n";
    const Json message = reply.value("message", Json::object());
    std::string out;
    if (const auto text = message.find("content"); text != message.end() && text->is_string()) out = text->get<std::string>();
    for (const Json& call : message.value("tool_calls", Json::array()))
        out += (out.empty() || out.ends_with('\n') ? "call " : "\ncall ") + call["function"]["name"].get<std::string>() + " " + call["function"]["arguments"].get<std::string>();
    return out;
}

std::string figures(const Json& reply) {
    const auto took = std::chrono::microseconds(reply.value("duration_us", std::int64_t(0)));
    return reply.value("model", "?") + ", " + std::to_string(reply.value("usage", Json::object()).value("output_tokens", 0)) + " tokens, " + shown_time(took);
}

void print(const Json& replay) {
    const Json &was = replay["was"], &now = replay["now"];
    std::printf("%s: %s\n", visible(replay["purpose"].get<std::string>()).c_str(), now.is_null() ? "does not hold that prompt, not asked" : replay["same"] == true ? "the same" : "differs");
    if (now.is_null()) return;
    std::printf("  was %s\n  now %s\n", visible(figures(was)).c_str(), visible(figures(now)).c_str());
    if (replay["same"] == true) return;
    for (const auto& line : line_diff(said(was), said(now))) std::printf("  %c %s\n", line.sign, visible(line.text).c_str());
}

}  // namespace

int trace_replay(const LoadedSettings& loaded, const std::string& wanted, const std::string& model, const std::string& prompt, bool json) {
    const std::string& socket = loaded.settings.server.socket;
    const auto id = run_named(socket, wanted);
    if (!id) return complain(id.error());
    const auto run = ask_server_json(socket, "GET", "/v1/runs/" + *id);
    if (!run) return complain(run.error().code == base::Code::not_found ? no_run(*id) : run.error());
    std::vector<std::string> calls;
    for (const Json& span : (*run)["spans"])
        if (span["kind"] == "model") calls.push_back(span["id"]);
    if (calls.empty()) return complain(base::error(base::Code::not_found, "the run " + *id + " called no model"));

    Json all = Json::array();
    std::size_t asked = 0, same = 0, failed = 0;
    for (const std::string& span : calls) {
        show_progress("asking again", all.size(), calls.size());
        Json body = {{"span_id", span}};
        if (!model.empty()) body["model"] = model;
        if (!prompt.empty()) body["prompt"] = prompt;
        auto replay = ask_server_json(socket, "POST", "/v1/runs/" + *id + "/replay", body);
        if (!replay) return end_progress(), complain(replay.error());
        asked += !(*replay)["now"].is_null();
        same += (*replay)["same"] == true;
        failed += (*replay)["now"].contains("error");
        all.push_back(*std::move(replay));
    }
    show_progress("asking again", calls.size(), calls.size());
    end_progress();
    if (asked == 0) return complain(base::error(base::Code::not_found, "no call of the run " + *id + " holds the prompt " + prompt, "hearth trace show " + *id + " --json shows what was sent"));
    if (json) {
        print_json(all, 2);
    } else {
        for (const Json& one : all) print(one);
        std::printf("%zu of %zu calls asked again: %zu the same\n", asked, calls.size(), same);
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace app
