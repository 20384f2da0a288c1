// hearth secret: with and without a running server, which looks once a second for what has changed.
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "app/commands.h"
#include "app/database.h"
#include "app/table.h"
#include "app/terminal.h"
#include "net/http_client.h"
#include "store/secrets.h"
#include "tools/registry.h"

namespace app {
namespace {

using base::Code;
using base::SecretValue;

constexpr std::size_t kMost = (64 << 10) + 3;  // one more than is taken, and a line's end

termios shown_terminal;

// Ctrl-C at the question: the terminal shows again what is typed.
void leave(int) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_terminal);
    _exit(130);
}

// While it lives, what is typed at a terminal is not shown.
class Unseen {
public:
    explicit Unseen(bool terminal) {
        if (!terminal || tcgetattr(STDIN_FILENO, &shown_terminal) != 0) return;
        before_ = std::signal(SIGINT, leave);
        termios hidden = shown_terminal;
        hidden.c_lflag &= ~tcflag_t(ECHO);
        hidden.c_lflag |= ECHONL;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        active_ = true;
    }
    ~Unseen() {
        if (!active_) return;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_terminal);
        std::signal(SIGINT, before_);
    }

private:
    bool active_ = false;
    void (*before_)(int) = SIG_DFL;
};

// All of standard input, on a terminal one line, without the line's end. Never in a buffer of the library.
base::Result<SecretValue> read_value(const std::string& name) {
    const bool terminal = isatty(STDIN_FILENO) == 1;
    const Unseen unseen(terminal);
    if (terminal) std::fprintf(stderr, "value of %s: ", name.c_str());
    SecretValue value(kMost);
    std::size_t size = 0;
    while (size < kMost && !(terminal && size > 0 && value.bytes()[size - 1] == '\n')) {
        const ssize_t got = ::read(STDIN_FILENO, value.bytes().data() + size, kMost - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return base::error(Code::io, std::string("cannot read the value from standard input: ") + std::strerror(errno));
        if (got == 0) break;
        size += std::size_t(got);
    }
    if (size > 0 && value.bytes()[size - 1] == '\n') --size;
    if (size > 0 && value.bytes()[size - 1] == '\r') --size;
    value.shrink(size);
    if (size == 0) return base::error(Code::invalid_argument, "standard input holds no value", "hearth secret set " + name + " < FILE, or type it when asked");
    return value;
}

base::Json json_of(const store::SecretInfo& info) {
    return {{"name", info.name}, {"handle", "secret:" + info.name}, {"owner", info.owner == store::SecretOwner::tenant ? "household" : "person"},
            {"version", info.version}, {"host", info.host}, {"for", info.tools}, {"changed", base::rfc3339(info.changed)}};
}

// Where it may go, in a word.
std::string use_of(const store::SecretInfo& info) {
    std::string out;
    for (const auto& tool : info.tools) out += (out.empty() ? "tools: " : ", ") + tool;
    return !out.empty() ? out : info.host.empty() ? "any host" : info.host;
}

base::Result<void> check_tools(const std::vector<std::string>& names) {
    std::string takers;
    for (const auto& tool : tools::builtin_tools())
        if (!tool.takes_secrets.empty()) takers += (takers.empty() ? "" : ", ") + tool.name;
    for (const auto& name : names)
        if (const tools::Tool* tool = tools::Builtins().find(name); !tool || tool->takes_secrets.empty())
            return base::error(Code::invalid_argument, "no tool '" + name + "' takes secrets", "those that do: " + takers);
    return {};
}

store::SecretOwner owner_of(bool shared) { return shared ? store::SecretOwner::tenant : store::SecretOwner::person; }

}  // namespace

int secret_set(const LoadedSettings& loaded, const std::string& name, const std::string& wanted_host, const std::vector<std::string>& tools, bool shared, bool json) {
    const std::string host = wanted_host.empty() ? "" : net::host_of("https://" + wanted_host);
    if (!wanted_host.empty() && (host.empty() || wanted_host.find('/') != wanted_host.npos))
        return complain(base::error(Code::invalid_argument, "'" + wanted_host + "' is no host", "for example --host api.openai.com")), 2;
    if (!store::is_secret_name(name))
        return complain(base::error(Code::invalid_argument, "that is no name of a secret", "a letter, then letters, digits, '.', '_' and '-', at most 64; the value comes from standard input")), 2;
    if (auto known = check_tools(tools); !known) return complain(known.error()), 2;
    auto value = read_value(name);
    if (!value) return complain(value.error());
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    const auto set = [&](store::Tx& tx) -> base::Result<store::SecretInfo> {
        auto keys = store::master_keys(tx, loaded.settings.state_folder);
        if (!keys) return std::move(keys).error();
        return store::set_secret(tx, *keys, owner_of(shared), name, host, *value, tools);
    };
    const auto done = opened->db->run_blocking(opened->owner, set);
    if (!done) return complain(done.error());
    if (json) print_json(json_of(*done));
    else std::printf("kept %s, version %lld; secret:%s stands for it\n", name.c_str(), static_cast<long long>(done->version), name.c_str());
    return 0;
}

int secret_list(const LoadedSettings& loaded, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    const auto list = [](store::Tx& tx) { return store::list_secrets(tx); };
    base::Json out = base::Json::array();
    Table table({"name", "owner", "version", "for", "changed (UTC)"});
    for (const auto& info : opened->db->run_blocking(opened->owner, list)) {
        out.push_back(json_of(info));
        const std::string changed = base::rfc3339(info.changed), owner = out.back()["owner"];
        table.add({info.name, owner, std::to_string(info.version), use_of(info), changed.substr(0, 10) + " " + changed.substr(11, 8)});
    }
    if (json) print_json(out);
    else table.print();
    return 0;
}

int secret_remove(const LoadedSettings& loaded, const std::string& name, bool shared, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    const auto remove = [&](store::Tx& tx) { return store::remove_secret(tx, owner_of(shared), name); };
    if (!opened->db->run_blocking(opened->owner, remove))
        return complain(base::error(Code::not_found, std::string("there is no secret '") + name + "' of " + (shared ? "the household" : "your own"),
                                    shared ? "hearth secret list shows them" : "hearth secret list shows them; --shared removes one of the household"));
    if (json) print_json({{"name", name}, {"removed", true}});
    else std::puts("removed");
    return 0;
}

int secret_rotate(const LoadedSettings& loaded, const std::string& name, bool master, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    if (master) {
        const auto count = store::rotate_master_key(*opened->db, opened->owner, loaded.settings.state_folder);
        if (!count) return complain(count.error());
        if (json) print_json({{"master", true}, {"secrets", *count}});
        else std::printf("a new master key wraps %d secrets; back up %s\n", *count, (loaded.settings.state_folder / "master.key").c_str());
        return 0;
    }
    const auto rotate = [&](store::Tx& tx) -> base::Result<std::vector<store::SecretInfo>> {
        auto keys = store::master_keys(tx, loaded.settings.state_folder);
        if (!keys) return std::move(keys).error();
        return store::rotate_secrets(tx, *keys, name);
    };
    const auto done = opened->db->run_blocking(opened->owner, rotate);
    if (!done) return complain(done.error());
    base::Json out = base::Json::array();
    for (const auto& info : *done) out.push_back(json_of(info));
    if (json) print_json(out);
    else std::printf("encrypted %zu secrets anew\n", done->size());
    return 0;
}

}  // namespace app
