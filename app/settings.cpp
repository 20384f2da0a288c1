#include "app/settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "agents/service.h"
#include "base/edits.h"
#include "net/config.h"
#include "store/secrets.h"

namespace app {
namespace {

using base::Code;
using T = SettingType;

int number(const std::string& text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

// clang-format off
const std::vector<SettingRow>& setting_rows() {
    static const std::vector<SettingRow> rows = {
        {"server.host", T::text, "127.0.0.1", 0, 0, "", "address that HTTP listens on", true, [](Settings& s, const std::string& v) { s.server.host = v; }},
        {"server.port", T::integer, "8080", 0, 65535, "", "TCP port; 0 picks a free one", true, [](Settings& s, const std::string& v) { s.server.port = number(v); }},
        {"server.socket", T::path, "$state/run/hearth.sock", 0, 0, "", "Unix socket of the command line", true, [](Settings& s, const std::string& v) { s.server.socket = v; }},
        {"server.public_host", T::text, "", 0, 0, "", "further host names that requests may name, by comma", true, [](Settings& s, const std::string& v) { s.server.public_host = v; }},
        {"server.certificate", T::path, "", 0, 0, "", "PEM certificate for TLS; empty: plain HTTP on loopback, one made by hearth beyond", true, [](Settings& s, const std::string& v) { s.server.certificate = v; }},
        {"server.certificate_key", T::path, "", 0, 0, "", "PEM key of server.certificate", true, [](Settings& s, const std::string& v) { s.server.certificate_key = v; }},
        {"server.max_connections", T::integer, "256", 1, 65536, "", "connections at a time; more are answered 503", true, [](Settings& s, const std::string& v) { s.server.max_connections = number(v); }},
        {"server.body_mib", T::integer, "8", 1, 1024, "", "largest request body, MiB", true, [](Settings& s, const std::string& v) { s.server.body_mib = number(v); }},
        {"auth.loopback", T::choice, "off", 0, 0, "off,trust", "trust: loopback requests need no key (never for admin routes)", true, [](Settings& s, const std::string& v) { s.auth.loopback = v; }},
        {"auth.installer_uid", T::integer, "-1", -1, 2147483647, "", "uid that acts as the owner over the Unix socket, beside root and the server's", true, [](Settings& s, const std::string& v) { s.auth.installer_uid = number(v); }},
        {"state.folder", T::path, "$state", 0, 0, "", "database, socket, node key and models lie here", true, [](Settings& s, const std::string& v) { s.state_folder = v; }},
        {"workspace.root", T::path, "$state/workspaces", 0, 0, "", "holds PERSON/CONVERSATION folders", true, [](Settings& s, const std::string& v) { s.workspace_root = v; }},
        {"workspace.shared", T::choice, "no", 0, 0, "no,yes", "yes: that folder is the same on every machine that uses the database, so that each goes on with the others' runs", true, [](Settings& s, const std::string& v) { s.shared_workspaces = v == "yes"; }},
        {"database.url", T::text, "", 0, 0, "", "a PostgreSQL of your own, as hearth_app; empty: the private cluster", true, [](Settings& s, const std::string& v) { s.database.url = v; }},
        {"database.owner_url", T::text, "", 0, 0, "", "the same as hearth_owner, for hearth db migrate; hearth db roles tells more", true, [](Settings& s, const std::string& v) { s.database.owner_url = v; }},
        {"database.binaries", T::path, "", 0, 0, "", "folder of initdb and postgres; empty: the newest installed", true, [](Settings& s, const std::string& v) { s.database.binaries = v; }},
        {"database.run_as", T::text, "hearth", 0, 0, "", "user of the private cluster when hearth itself runs as root", true, [](Settings& s, const std::string& v) { s.database.run_as = v; }},
        {"database.connections", T::integer, "16", 1, 64, "", "connections of the pool; opened when needed", true, [](Settings& s, const std::string& v) { s.database.connections = number(v); }},
        {"model.path", T::path, "", 0, 0, "", "GGUF file or folder of a checkpoint; empty: the model that `hearth model use` chose", true, [](Settings& s, const std::string& v) { s.model.path = v; }},
        {"model.name", T::text, "default", 0, 0, "", "alias under which it is served", true, [](Settings& s, const std::string& v) { s.model.name = v; }},
        {"model.catalogue", T::path, "", 0, 0, "", "models.yaml; empty: the one installed with the binary", true, [](Settings& s, const std::string& v) { s.catalogue = v; }},
        {"quality.cases", T::path, "", 0, 0, "", "quality.yaml; empty: the one installed with the binary", false, [](Settings& s, const std::string& v) { s.quality_cases = v; }},
        {"agents.file", T::path, "", 0, 0, "", "agents of your own, beside those that come with Hearth; docs/agents.md", true, [](Settings& s, const std::string& v) { s.agents.file = v; }},
        {"model.profile", T::choice, "fast", 0, 0, "fast,exact", "numeric profile", true, [](Settings& s, const std::string& v) { s.model.profile = v; }},
        {"model.target", T::text, "", 0, 0, "", "target of the operations; empty: the best of the machine", true, [](Settings& s, const std::string& v) { s.model.target = v; }},
        {"model.plain_ops", T::text, "", 0, 0, "", "operations that are computed plainly, and slowly, in place of the target's kernels: matmul, attention, rms_norm, … with commas", true, [](Settings& s, const std::string& v) { s.model.plain_ops = v; }},
        {"model.draft", T::path, "", 0, 0, "", "a smaller model with the same vocabulary that guesses tokens to come for the chosen one; empty: none (docs/models.md)", true, [](Settings& s, const std::string& v) { s.model.draft = v; }},
        {"model.speculation", T::choice, "auto", 0, 0, "auto,prompt,head,draft,off", "what tokens to come are guessed from, to be verified together; the text is the same. auto: whatever there is and pays of the conversation's own words, the model's head for drafting and model.draft", true, [](Settings& s, const std::string& v) { s.model.speculation = v; }},
        {"model.speculation_length", T::integer, "0", 0, 15, "", "tokens guessed wherever there is something to guess; 0: as many as pay", true, [](Settings& s, const std::string& v) { s.model.speculation_length = number(v); }},
        {"model.kv_format", T::choice, "auto", 0, 0, "auto,f32,f16,bf16,int8,fp8", "how the cache keeps keys and values; auto: f16, in profile exact f32", true, [](Settings& s, const std::string& v) { s.model.kv_format = v; }},
        {"model.adapters", T::text, "", 0, 0, "", "low-rank adapters of the model, each served under its name: NAME=FOLDER, by comma", true, [](Settings& s, const std::string& v) { s.model.adapters = v; }},
        {"model.threads", T::integer, "0", 0, 1024, "", "CPU threads; 0: from machine and cgroup", true, [](Settings& s, const std::string& v) { s.model.threads = number(v); }},
        {"model.context", T::integer, "0", 0, 1 << 24, "", "most tokens of one sequence; 0: the model's, as memory allows", true, [](Settings& s, const std::string& v) { s.model.context = number(v); }},
        {"model.max_sequences", T::integer, "8", 1, 256, "", "sequences decoded together", true, [](Settings& s, const std::string& v) { s.model.max_sequences = number(v); }},
        {"model.max_waiting", T::integer, "256", 1, 100000, "", "requests that wait for their turn; more are refused", true, [](Settings& s, const std::string& v) { s.model.max_waiting = number(v); }},
        {"model.max_waiting_each", T::integer, "64", 1, 100000, "", "the same, of one person", true, [](Settings& s, const std::string& v) { s.model.max_waiting_each = number(v); }},
        {"model.memory_mib", T::integer, "0", 0, 1 << 30, "", "ceiling for weights, KV and scratch; 0: as model.utilisation says", true, [](Settings& s, const std::string& v) { s.model.memory_mib = number(v); }},
        {"model.utilisation", T::integer, "0", 0, 95, "", "percent of the available memory that weights, scratch and cache take, the cache all that the others leave; 0: at most 75 until the file has been loaded once (90 where weights, scratch and the least cache need it), then 90, and of cache what context and sequences ask for", true, [](Settings& s, const std::string& v) { s.model.utilisation = number(v); }},
        {"model.kv_disk_mib", T::integer, "1024", 0, 1 << 24, "", "of conversations' keys and values that are kept in state.folder, so that a restart computes none of them again; 0: none", true, [](Settings& s, const std::string& v) { s.model.kv_disk_mib = number(v); }},
        {"model.copy", T::choice, "auto", 0, 0, "auto,always,off", "a copy of the model's file in state.folder with its weights as the kernels want them, so that starts need not pack them; auto: from 64 MiB on, where the disk keeps twice as much free", true, [](Settings& s, const std::string& v) { s.model.copy = v; }},
        {"model.experts", T::choice, "auto", 0, 0, "auto,resident,mapped", "resident: all experts of a mixture in memory; mapped: as many as there is room for, the others read when they are chosen; auto: resident where they fit", true, [](Settings& s, const std::string& v) { s.experts.place = v; }},
        {"model.expert_memory", T::integer, "0", 0, std::int64_t(1) << 50, "", "bytes of memory for experts where not all are resident; 0: what the rest of the model leaves", true, [](Settings& s, const std::string& v) { s.experts.memory = std::strtoull(v.c_str(), nullptr, 10); }},
        {"embedding.path", T::path, "", 0, 0, "", "GGUF file, or folder as sentence-transformers writes it, of a model that makes vectors of texts; empty: none", true, [](Settings& s, const std::string& v) { s.embedding.path = v; }},
        {"embedding.name", T::text, "embedding", 0, 0, "", "alias under which it is served", true, [](Settings& s, const std::string& v) { s.embedding.name = v; }},
        {"upstream.url", T::text, "", 0, 0, "", "base URL of an OpenAI-compatible server, as a fallback of the model's alias", true, [](Settings& s, const std::string& v) { s.upstream.url = v; }},
        {"upstream.model", T::text, "", 0, 0, "", "model name there", true, [](Settings& s, const std::string& v) { s.upstream.model = v; }},
        {"upstream.embedding_model", T::text, "", 0, 0, "", "model name there that makes vectors of texts, served as embedding.name in place of embedding.path", true, [](Settings& s, const std::string& v) { s.upstream.embedding_model = v; }},
        {"upstream.key", T::secret, "", 0, 0, "", "its API key, as secret:NAME; hearth secret set NAME keeps it", true, [](Settings& s, const std::string& v) { s.upstream.key = v; }},
        {"upstream.key_file", T::path, "", 0, 0, "", "file that holds its API key, in place of upstream.key", true, [](Settings& s, const std::string& v) { s.upstream.key_file = v; }},
        {"backend.script", T::path, "", 0, 0, "", "JSON lines that answer in place of a model, to try things without one (docs/models.md)", true, [](Settings& s, const std::string& v) { s.upstream.script = v; }},
        {"backend.intake", T::text, "", 0, 0, "", "alias of the phase intake", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["intake"] = v; }},
        {"backend.copilot", T::text, "", 0, 0, "", "alias of the phase copilot", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["copilot"] = v; }},
        {"backend.thinking", T::text, "", 0, 0, "", "alias of the phase thinking", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["thinking"] = v; }},
        {"backend.recompose", T::text, "", 0, 0, "", "alias of the phase recompose", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["recompose"] = v; }},
        {"backend.critic", T::text, "", 0, 0, "", "alias that judges replies after they were delivered; empty: none does", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["critic"] = v; }},
        {"backend.consolidate", T::text, "", 0, 0, "", "alias that sums up what was said; empty: that of the answers", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["consolidate"] = v; }},
        {"backend.facts", T::text, "", 0, 0, "", "alias that notes facts of what was said; empty: that of the answers", true, [](Settings& s, const std::string& v) { if (!v.empty()) s.phase_backend["facts"] = v; }},
        {"agents.discipline", T::choice, "guided", 0, 0, "guided,free", "guided: worked examples, forced calls and answers that quote what calls returned, for small models", true, [](Settings& s, const std::string& v) { s.agents.discipline = v; }},
        {"agents.rounds", T::integer, "10", 1, 1000, "", "model calls with tools in one agent loop", true, [](Settings& s, const std::string& v) { s.agents.rounds = number(v); }},
        {"agents.window", T::integer, "20", 1, 10000, "", "messages of a conversation that a prompt repeats; what is older is recalled where a message asks for it", true, [](Settings& s, const std::string& v) { s.agents.window = number(v); }},
        {"agents.output_tokens", T::integer, "8192", 1, 1 << 24, "", "output tokens of one run", true, [](Settings& s, const std::string& v) { s.agents.output_tokens = number(v); }},
        {"agents.deadline_seconds", T::integer, "600", 1, 86400, "", "time of one run", true, [](Settings& s, const std::string& v) { s.agents.deadline_seconds = number(v); }},
        {"telegram.token", T::secret, "", 0, 0, "", "the token of a Telegram bot that people of the house write to, as secret:NAME; empty: none", true, [](Settings& s, const std::string& v) { s.telegram.token = v; }},
        {"telegram.url", T::text, "https://api.telegram.org", 0, 0, "", "Bot API server", true, [](Settings& s, const std::string& v) { s.telegram.url = v; }},
        {"telegram.webhook_secret", T::secret, "", 0, 0, "", "what Telegram proves itself by when it delivers, as secret:NAME; empty: it is asked for messages, and nothing listens for it", true, [](Settings& s, const std::string& v) { s.telegram.webhook_secret = v; }},
        {"telegram.webhook_url", T::text, "", 0, 0, "", "https URL that Telegram is told to deliver to, which a proxy of yours hands on to webhooks.port and /telegram; empty: you tell it", true, [](Settings& s, const std::string& v) { s.telegram.webhook_url = v; }},
        {"whatsapp.token", T::secret, "", 0, 0, "", "experimental: the access token of WhatsApp's Cloud API, as secret:NAME; empty: no WhatsApp. docs/bridges.md has its terms", true, [](Settings& s, const std::string& v) { s.whatsapp.token = v; }},
        {"whatsapp.number", T::text, "", 0, 0, "", "the Phone number ID that Meta shows for the number that people write to; digits, and not the number itself", true, [](Settings& s, const std::string& v) { s.whatsapp.number = v; }},
        {"whatsapp.app_secret", T::secret, "", 0, 0, "", "the App secret, by which deliveries are signed, as secret:NAME", true, [](Settings& s, const std::string& v) { s.whatsapp.app_secret = v; }},
        {"whatsapp.verify_token", T::secret, "", 0, 0, "", "the Verify token that Meta is told along with the address it delivers to, as secret:NAME", true, [](Settings& s, const std::string& v) { s.whatsapp.verify_token = v; }},
        {"whatsapp.template", T::text, "", 0, 0, "", "NAME/LANGUAGE of an approved template with one parameter, for whoever has not written for a day; empty: he gets nothing", true, [](Settings& s, const std::string& v) { s.whatsapp.form = v; }},
        {"whatsapp.url", T::text, "https://graph.facebook.com/v23.0", 0, 0, "", "the API, with its version", true, [](Settings& s, const std::string& v) { s.whatsapp.url = v; }},
        {"file.folder", T::path, "", 0, 0, "", "folder whose inbox/ and outbox/ are a channel for programs of the house; whoever may write there is believed to be whom he says; empty: none", true, [](Settings& s, const std::string& v) { s.file_folder = v; }},
        {"webhooks.host", T::text, "127.0.0.1", 0, 0, "", "address of the listener that serves webhooks alone; there is none without a secret for them", true, [](Settings& s, const std::string& v) { s.webhooks.host = v; }},
        {"webhooks.port", T::integer, "8081", 0, 65535, "", "its TCP port; 0 picks a free one", true, [](Settings& s, const std::string& v) { s.webhooks.port = number(v); }},
        {"outbox.messages_per_minute", T::integer, "120", 1, 100000, "", "most messages that leave for people in a minute, of all channels together; more wait", true, [](Settings& s, const std::string& v) { s.outbox.messages_per_minute = number(v); }},
        {"outbox.chats_per_hour", T::integer, "20", 0, 100000, "", "most chats that get something in an hour in which nobody has written there; more wait", true, [](Settings& s, const std::string& v) { s.outbox.chats_per_hour = number(v); }},
        {"outbox.keep_days", T::integer, "30", 0, 36500, "", "days that the outbox keeps what messages said, then digests alone; 0: for ever", true, [](Settings& s, const std::string& v) { s.outbox.keep_days = number(v); }},
        {"blobs.most_mib", T::integer, "20", 1, 100, "", "MiB of one file that comes with a message; a larger one is not kept, and its sender is told", true, [](Settings& s, const std::string& v) { s.blobs.most_mib = number(v); }},
        {"blobs.person_mib", T::integer, "1024", 1, 1 << 30, "", "MiB of all such files of one person; what is more is not kept, and its sender is told", true, [](Settings& s, const std::string& v) { s.blobs.person_mib = number(v); }},
        {"drills.days", T::integer, "7", 0, 365, "", "days after which a backend that nobody used, plain, streamed or with tools, counts as failed; 0: never", true, [](Settings& s, const std::string& v) { s.drills.days = number(v); }},
        {"drills.automatic", T::choice, "on", 0, 0, "on,off", "on: what was not used for half of these days is tried with a few tokens", true, [](Settings& s, const std::string& v) { s.drills.automatic = v == "on"; }},
        {"heartbeat.minutes", T::integer, "30", 0, 10080, "", "between two looks whether there is something for the owner to act on; 0: none", true, [](Settings& s, const std::string& v) { s.heartbeat.minutes = number(v); }},
        {"heartbeat.channel", T::text, "", 0, 0, "", "where the owner is told of it, once, such as telegram; empty: hearth heartbeat shows it", true, [](Settings& s, const std::string& v) { s.heartbeat.channel = v; }},
        {"heartbeat.silence", T::text, "", 0, 0, "", "kinds that are neither told nor shown, by comma; docs/schedules.md", true, [](Settings& s, const std::string& v) { s.heartbeat.silence = v; }},
        {"traces.keep_days", T::integer, "365", 0, 36500, "", "days that traces keep what was sent and answered, then digests alone; and that /v1/responses are kept; 0: for ever", true, [](Settings& s, const std::string& v) { s.traces.keep_days = number(v); }},
        {"traces.keep_mib", T::integer, "4096", 0, 1 << 30, "", "the same by size, MiB: the oldest goes first; 0: without limit", true, [](Settings& s, const std::string& v) { s.traces.keep_mib = number(v); }},
        {"traces.otlp_endpoint", T::text, "", 0, 0, "", "URL of an OpenTelemetry collector (OTLP over HTTP) that spans are sent to, too; empty: none", true, [](Settings& s, const std::string& v) { s.traces.otlp_endpoint = v; }},
        {"traces.otlp_content", T::choice, "off", 0, 0, "off,on", "whether it also gets what was said", true, [](Settings& s, const std::string& v) { s.traces.otlp_content = v; }},
        {"nightly.at", T::text, "00:05", 0, 0, "", "time of day, HH:MM, of the nightly batch; what was missed is caught up with; off: only hearth nightly makes one", true, [](Settings& s, const std::string& v) { s.nightly.at = v; }},
        {"nightly.zone", T::text, "", 0, 0, "", "the household's time zone, such as Europe/Paris, by which its days and nights go; empty: the machine's", true, [](Settings& s, const std::string& v) { s.nightly.zone = v; }},
        {"nightly.also", T::text, "consolidation,self_review,quality,read_ahead", 0, 0, "", "what a night does behind its batch, by comma: consolidation (sums up what was said), self_review (what has failed), quality (the scripted cases of hearth quality run, where what is live was not measured yet), read_ahead (what prompts begin with, for the caches); none: nothing", true, [](Settings& s, const std::string& v) { s.nightly.also = v; }},
        {"mathcore.rule", T::choice, "utility", 0, 0, "utility,absolute,relative,off", "when a heavy question is answered without thinking; absolute: where thinking costs more than twice what recompose does; off: never; docs/mathcore.md", true, [](Settings& s, const std::string& v) { s.mathcore_rule = v; }},
        {"mathcore.probes", T::choice, "on", 0, 0, "on,off", "on: while thinking is avoided, some heavy questions go through it all the same, to learn at once when it is well again; off: the next night learns it", true, [](Settings& s, const std::string& v) { s.mathcore_probes = v == "on"; }},
        {"log.level", T::choice, "info", 0, 0, "debug,info,warn,error", "least level that is logged", true, [](Settings& s, const std::string& v) { s.log.level = v; }},
        {"log.format", T::choice, "text", 0, 0, "text,json", "form of the log on standard error", true, [](Settings& s, const std::string& v) { s.log.format = v; }},
    };
    return rows;
}
// clang-format on

namespace {

const SettingRow* find_row(const std::string& name) {
    for (const auto& row : setting_rows())
        if (name == row.name) return &row;
    return nullptr;
}

// The known name with the fewest edits: people mistype. As settings, or as variables.
std::string nearest(const std::string& name, std::string (*form)(const std::string&)) {
    std::string best;
    std::size_t least = 4;
    for (const auto& row : setting_rows()) {
        const std::string other = form(row.name);
        const std::size_t edits = base::edits_between(name, other);
        if (edits < least) {
            least = edits;
            best = other;
        }
    }
    return best;
}

base::Error unknown(const std::string& name, const std::string& source) {
    std::string inside;
    for (const auto& row : setting_rows())
        if (std::string(row.name).rfind(name + ".", 0) == 0) inside += (inside.empty() ? "" : ", ") + std::string(row.name);
    if (!inside.empty())
        return base::error(Code::invalid_argument, "'" + name + "' in " + source + " is a section and takes no value of its own", "set one of " + inside);
    const std::string close = nearest(name, [](const std::string& other) { return other; });
    return base::error(Code::invalid_argument, "unknown setting '" + name + "' in " + source,
                       close.empty() ? "hearth config show lists all" : "did you mean '" + close + "'?");
}

// Variables that begin like ours: those of a section that we have, and those that are nearly one. What
// else begins with HEARTH_ may be another program's.
base::Result<void> check_environment() {
    for (const auto& variable : net::environment_names("HEARTH_")) {
        bool known = false, section = false;
        for (const auto& row : setting_rows()) {
            const std::string other = environment_name(row.name);
            known |= variable == other;
            section |= variable.rfind(environment_name(std::string(row.name).substr(0, std::string(row.name).find('.'))) + "_", 0) == 0;
        }
        const std::string close = known ? "" : nearest(variable, environment_name);
        if (!known && (section || !close.empty()))
            return base::error(Code::invalid_argument, "unknown setting " + variable + " in the environment",
                               close.empty() ? "hearth config show lists all" : "did you mean " + close + "?");
    }
    return {};
}

base::Error bad(const SettingRow& row, const Origin& origin, const std::string& expected) {
    return base::error(Code::invalid_argument, std::string("setting ") + row.name + " is '" + origin.value + "' (from " +
                                                   origin.source + ") but must be " + expected,
                       "change it there, or leave it out");
}

base::Result<void> check(const SettingRow& row, const Origin& origin) {
    if (row.type == T::integer) {
        std::int64_t value = 0;
        const char* end = origin.value.data() + origin.value.size();
        const auto [stop, failed] = std::from_chars(origin.value.data(), end, value);
        if (failed != std::errc{} || stop != end || value < row.least || value > row.most)
            return bad(row, origin, "a whole number from " + std::to_string(row.least) + " to " + std::to_string(row.most));
    }
    if (row.type == T::choice) {
        const std::string all = std::string(",") + row.choices + ",";
        if (origin.value.empty() || all.find("," + origin.value + ",") == std::string::npos)
            return bad(row, origin, std::string("one of ") + row.choices);
    }
    // What stands there may be the secret itself: it is not told again.
    if (row.type == T::secret && !origin.value.empty() && !store::secret_name(origin.value))
        return base::error(Code::invalid_argument, std::string("setting ") + row.name + " (from " + origin.source + ") must be a secret's handle, secret:NAME: settings name secrets and never hold them",
                           std::string("hearth secret set NAME keeps it, and ") + row.name + ": secret:NAME stands for it");
    if (row.type == T::path && *row.otherwise && origin.value.empty()) return bad(row, origin, "a path");
    return {};
}

// What a server alone reads.
bool is_of_servers(const std::string& section) {
    static const std::vector<std::string> own = {"agents", "auth", "backend", "drills", "embedding", "heartbeat", "log", "traces", "upstream"};
    const auto among = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), section) != names.end(); };
    return among(own) || among(router::roster_sections());
}

// The file's values, and into `fault` why they are not all that it has.
base::Result<std::map<std::string, std::string>> values_of(const std::filesystem::path& file, bool named, FileUse use, std::optional<base::Error>& fault) {
    auto whole = net::read_yaml_settings(file, named, router::roster_sections());
    if (whole || use == FileUse::whole || whole.error().code == Code::not_found) return whole;
    if (use == FileUse::places && whole.error().code != Code::invalid_argument) return whole;
    net::YamlSections sections = net::read_yaml_sections(file, router::roster_sections());
    for (const auto& [name, error] : sections.faults)
        if (use == FileUse::places && !is_of_servers(name)) return error;
    // Where each section is well by itself, the file is not, in a way that none of them shows.
    if (use == FileUse::places && sections.faults.empty()) return whole;
    fault = std::move(whole).error();
    return std::move(sections.values);
}

std::string expand(std::string value, const std::string& state) {
    const std::string marker = "$state";
    if (value.rfind(marker, 0) == 0) value = state + value.substr(marker.size());
    return value;
}

// Who has no hearth of his own, neither settings nor state, uses the one installed for the machine.
std::filesystem::path default_file(const net::XdgFolders& folders, bool names_state) {
    const std::filesystem::path own = folders.config / "hearth.yaml", machine = "/etc/hearth/hearth.yaml";
    std::error_code none;
    if (names_state || std::filesystem::exists(own, none) || std::filesystem::exists(folders.state, none)) return own;
    return access(machine.c_str(), R_OK) == 0 ? machine : own;
}

// Of a file that was just read.
base::Result<router::RosterFile> roster_of(const std::filesystem::path& file, const Settings& settings) {
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::vector<std::string> taken;
    for (const auto& agent : agents::shipped_cast()->rows()) taken.push_back(agent.name);
    taken.push_back(settings.embedding.name);
    return router::read_roster(text, file.string(), {"embedded", "scripted", "upstream"}, taken);
}

}  // namespace

std::string environment_name(const std::string& setting) {
    std::string out = "HEARTH_";
    for (char c : setting) out += c == '.' ? '_' : char(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

base::Result<LoadedSettings> load_settings(const std::filesystem::path& file, const std::map<std::string, std::string>& flags, FileUse use) {
    const auto folders = net::xdg_folders();
    const bool names_state = net::environment("HEARTH_STATE_FOLDER") || flags.count("state.folder") > 0;
    const auto chosen = file.empty() ? default_file(folders, names_state) : file;
    LoadedSettings out;
    const auto from_file = values_of(chosen, !file.empty(), use, out.file_fault);
    if (!from_file) return from_file.error();
    for (const auto& [name, value] : *from_file)
        if (!find_row(name)) return unknown(name, chosen.string());
    for (const auto& [name, value] : flags)
        if (!find_row(name)) return unknown(name, "the command line");
    if (auto fine = check_environment(); !fine) return std::move(fine).error();

    for (const auto& row : setting_rows()) {
        Origin origin{row.otherwise, "default"};
        if (const auto it = from_file->find(row.name); it != from_file->end()) origin = {it->second, chosen.string()};
        const std::string variable = environment_name(row.name);
        if (const auto set = net::environment(variable)) origin = {*set, variable};
        if (row.name == std::string("database.url"))  // the name that hosting platforms use
            if (const auto set = net::environment("DATABASE_URL"); set && origin.source == "default")
                origin = {*set, "DATABASE_URL"};
        if (const auto it = flags.find(row.name); it != flags.end()) origin = {it->second, "the command line"};
        if (auto fine = check(row, origin); !fine) return std::move(fine).error();
        out.origins[row.name] = origin;
    }
    const std::string state = std::filesystem::absolute(expand(out.origins["state.folder"].value, folders.state.string())).lexically_normal();
    for (const auto& row : setting_rows()) {
        Origin& origin = out.origins[row.name];
        origin.value = expand(origin.value, state);
        if (row.type == T::path && !origin.value.empty()) origin.value = std::filesystem::absolute(origin.value).lexically_normal();
        row.set(out.settings, origin.value);
    }
    out.settings.file = chosen;
    if (out.file_fault) return out;
    auto roster = roster_of(chosen, out.settings);
    if (roster) out.settings.roster = *std::move(roster);
    else if (use == FileUse::whole) return std::move(roster).error();
    else out.roster_fault = std::move(roster).error();
    return out;
}

}  // namespace app
