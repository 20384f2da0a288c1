// hearth chat: the agent in a terminal, through the running server.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "app/chat_turn.h"
#include "app/client.h"
#include "app/commands.h"
#include "app/ending.h"
#include "app/folder.h"
#include "app/lines.h"
#include "app/loading.h"
#include "app/model_talk.h"
#include "app/partner.h"
#include "app/question.h"
#include "app/terminal.h"
#include "app/word.h"

namespace app {
namespace {

using base::Json;

// An event of the question's own stream. False: it was the last.
bool show_event(const ServerEvent& event, bool quiet, Turn& turn) {
    auto json = base::parse_json(event.data);
    if (!json) return true;
    const std::string& name = event.name;
    if (name == "done" || name == "error") {
        turn.result = *std::move(json);
        turn.ended = name == "done";
        return false;
    }
    if (!json->is_object()) return true;
    if (name == "tool_call") turn.tool_began = SteadyClock::now();
    if (name == "tool_result") turn.tool_seconds += seconds_since(turn.tool_began);
    if (name == "run_started") turn.conversation = json->value("conversation_id", "");
    if (!quiet) show_told(name, *json, turn);
    return true;
}

// The body of an answer that is no stream of events, as the last event would have told it.
Json told_without_events(const Reply& reply) {
    auto said = base::parse_json(reply.body);
    if (said && said->is_object()) return *std::move(said);
    const std::string what = reply.status == 200 ? "the server broke off before the end of the answer" : "the server answered HTTP " + std::to_string(reply.status);
    return Json{{"error", {{"message", what}}}};
}

class Chat {
public:
    Chat(const LoadedSettings& loaded, const ChatOptions& options, Partner partner)
        : socket_(loaded.settings.server.socket), options_(options), partner_(std::move(partner)), model_(socket_, partner_.name), conversation_(options.conversation) {}

    // Where one is worked in.
    base::Result<void> open_folder() {
        if (partner_.in_folder || !options_.workspace.empty()) return folder_.open(options_.workspace);
        return {};
    }

    // `lines`: where the person can be asked for a word; null: nowhere.
    base::Result<Turn> ask(const std::string& question, Lines* lines) {
        interrupted = 0;
        wait_while_loading(socket_);
        Turn turn;
        if (interrupted) return stopped(std::move(turn));
        auto reply = partner_.agent ? ask_agent(question, turn) : model_.ask(question, options_.json, turn);
        turn.seconds = seconds_since(turn.began);
        if (!turn.conversation.empty()) conversation_ = turn.conversation;
        if (interrupted) return stopped(std::move(turn));
        if (!reply) return std::move(reply).error();
        if (turn.result.is_null()) turn.result = told_without_events(*reply);
        if (options_.json) {
            if (turn.ended) print_json(turn.result);
            return turn;
        }
        if (lines && turn.state() == "waiting_person") see_through(socket_, *lines, turn);
        if (interrupted) return stopped(std::move(turn));
        if (!lines || turn.state() != "waiting_person") show_rest(turn);  // who was asked has read what it waits for
        return turn;
    }

    void begin_anew() {
        conversation_.clear();
        model_.begin_anew();
    }

private:
    base::Result<Reply> ask_agent(const std::string& question, Turn& turn) {
        Json body = {{"agent", partner_.name}, {"messages", Json::array({Json{{"role", "user"}, {"content", question}}})}, {"read_only", options_.read_only}, {"write_tier", options_.write_tier}, {"stream", true}};
        if (!folder_.path().empty()) body["workspace"] = folder_.path();
        if (!conversation_.empty()) body["conversation_id"] = conversation_;
        return ask_server(socket_, "POST", "/v0/dev/chat", body, folder_.fd(), [&](const ServerEvent& event) { return show_event(event, options_.json, turn); });
    }

    static Turn stopped(Turn turn) {
        std::fputs("\n[stopped]\n", stderr);
        return turn;
    }

    const std::string socket_;
    const ChatOptions options_;
    const Partner partner_;
    ModelTalk model_;  // where the partner is one
    std::string conversation_;
    Folder folder_;
};

void print_cost(const Turn& turn) {
    const Json& u = turn.result["usage"];
    const double queued = u.value("queued_ms", 0.0) / 1000, prefill = u.value("prefill_ms", 0.0) / 1000, decode = u.value("decode_ms", 0.0) / 1000;
    const int out = u.value("output_tokens", 0);
    std::fprintf(stderr, "\n%.1f tokens/s · %.2f s: waiting %.2f, prompt %.2f (%d tokens, %d of them cached), answer %.2f (%d tokens), tools %.2f (%d tool calls), the rest %.2f\n",
                 decode > 0 ? out / decode : 0.0, turn.seconds, queued, prefill, u.value("prompt_tokens", 0), u.value("cached_tokens", 0), decode, out,
                 turn.tool_seconds, turn.result.value("tools_used", 0), std::max(0.0, turn.seconds - queued - prefill - decode - turn.tool_seconds));
    if (const std::string run = turn.run(); !run.empty()) std::fprintf(stderr, "run %s\n", visible(run).c_str());
}

constexpr const char* kHelp = "/help  these lines\n"
                              "/new   begins a new conversation\n"
                              "/exit  ends, as Ctrl-D does\n"
                              "Ctrl-C stops an answer. A line that begins with a blank is sent as it is.\n";

// "/word" at the start of a line, which is not sent; empty for a question, a path among them.
std::string slash_word(const std::string& line) {
    const std::string word = line.substr(0, line.find_first_of(" \t\r"));
    const bool plain = word.size() > 1 && word[0] == '/' && std::all_of(word.begin() + 1, word.end(), [](unsigned char c) { return std::isalpha(c); });
    return plain ? word : std::string();
}

int converse(Chat& chat) {
    Lines lines;
    std::fputs("Ask; /help lists commands, Ctrl-C stops an answer, Ctrl-D ends.\n", stderr);
    for (std::string line;;) {
        std::fputs("> ", stderr);
        const Lines::Got got = lines.next(line);
        if (got == Lines::Got::end) break;
        if (got == Lines::Got::interruption) {
            interrupted = 0;
            std::fputs("\n", stderr);
            continue;
        }
        if (line.find_first_not_of(" \t") == line.npos) continue;
        if (const std::string word = slash_word(line); !word.empty()) {
            if (word == "/exit") break;
            if (word == "/new") chat.begin_anew();
            else if (word == "/help") std::fputs(kHelp, stderr);
            else complain(base::error(base::Code::invalid_argument, "there is no command " + word, "/help lists them; a blank before it sends the line as it is"));
            continue;
        }
        auto turn = chat.ask(line, &lines);
        if (!turn) complain(turn.error());
        else if (!interrupted) tell_end(*turn);
        interrupted = 0;  // it was for the answer
    }
    return 0;
}

}  // namespace

namespace {

// What was asked for that a model alone does not have.
const char* missing_of_model(const ChatOptions& options) {
    if (!options.workspace.empty()) return "--workspace";
    if (options.read_only) return "--read-only";
    if (options.write_tier != "code") return "--write-tier";
    return options.conversation.empty() ? nullptr : "--conversation";
}

}  // namespace

int chat(const LoadedSettings& loaded, const ChatOptions& options) {
    catch_interrupts();
    auto partner = partner_named(loaded.settings.server.socket, options.agent);
    if (!partner) return complain(partner.error());
    if (const char* option = partner->agent ? nullptr : missing_of_model(options))
        return complain(base::error(base::Code::invalid_argument, partner->name + " is a model alone, which has no tools and keeps no conversation", std::string("leave ") + option + " out, or name an agent")), 2;
    const bool terminal = isatty(STDIN_FILENO) == 1, alone = options.question.empty();
    std::string question = options.question;
    if (!terminal || (alone && options.once)) {
        const auto waiting = [] { std::fputs("hearth: reading standard input to its end; < /dev/null leaves it out\n", stderr); };
        const auto piped = read_input(STDIN_FILENO, alone ? std::function<void()>() : waiting);
        if (!piped) return complain(piped.error());
        if (interrupted) return 130;
        question = joined_question(question, *piped);
    }
    Chat chat(loaded, options, *std::move(partner));
    if (auto opened = chat.open_folder(); !opened) return complain(opened.error());
    if (alone && terminal && !options.once) return converse(chat);
    if (question.find_first_not_of(" \t\r\n") == question.npos) return complain(base::error(base::Code::invalid_argument, "the question is empty")), 2;
    Lines lines;
    const bool can_ask = terminal && isatty(STDERR_FILENO) == 1 && !options.json;
    auto turn = chat.ask(question, can_ask ? &lines : nullptr);
    if (!turn) return complain(turn.error());
    if (interrupted) return 130;
    if (options.once && turn->ended) print_cost(*turn);
    return tell_end(*turn);
}

}  // namespace app
