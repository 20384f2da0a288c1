#include "router/load_note.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace router {
namespace {

namespace fs = std::filesystem;
using base::Json;

constexpr std::chrono::milliseconds kNoteEach{50};
constexpr std::chrono::hours kToldFor{7 * 24};

// A file for each model file, by the path: FNV-1a.
fs::path note_file(const fs::path& folder, const fs::path& model) {
    std::uint64_t hash = 14695981039346656037u;
    std::error_code ignored;
    for (const unsigned char c : fs::absolute(model, ignored).lexically_normal().string()) hash = (hash ^ c) * 1099511628211u;
    char name[32];
    std::snprintf(name, sizeof name, "%016llx.json", static_cast<unsigned long long>(hash));
    return folder / name;
}

std::uint64_t size_of_file(const fs::path& model) {
    std::error_code folder;
    const auto bytes = fs::file_size(model, folder);
    return folder ? 0 : bytes;
}

Json note_in(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    auto note = base::parse_json(text.str());
    return note && note->is_object() ? *std::move(note) : Json::object();
}

// When that process began, in the kernel's ticks: with the number it tells one process from all others. 0: there is none.
std::uint64_t began_at(pid_t pid) {
    std::ostringstream text;
    text << std::ifstream("/proc/" + std::to_string(pid) + "/stat").rdbuf();
    const std::string stat = text.str();
    std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    std::string skipped;
    for (int i = 3; i < 22; ++i) fields >> skipped;  // proc(5)
    std::uint64_t ticks = 0;
    fields >> ticks;
    return ticks;
}

bool is_of(const Json& note, std::uint64_t bytes) { return note.value("bytes", std::uint64_t(0)) == bytes; }
bool is_loading(const Json& note) { return note.value("state", "") == "loading"; }
bool writer_lives(const Json& note) {
    const std::uint64_t began = began_at(pid_t(note.value("pid", 0)));
    return began != 0 && began == note.value("process_began", std::uint64_t(0));
}

// That the file was loaded once, and no process has died in a load of it since: other failures say nothing of the memory it takes.
bool is_proven(const Json& note) {
    if (note.value("state", "") == "loaded") return true;
    return note.value("proven", false) && (!is_loading(note) || writer_lives(note));
}

std::int64_t seconds_now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string told_death(const Json& died) {
    return "a process died on " + died.value("began", "") + " while it loaded " + died.value("model", "") + ", at " + died.value("stage", "") + " " + std::to_string(died.value("percent", 0)) + " %, with " +
           std::to_string(died.value("free_mib", 0)) + " MiB of memory left (" + std::to_string(died.value("free_mib_before", 0)) + " before)";
}

}  // namespace

LoadNote::LoadNote(const fs::path& folder, const fs::path& model) {
    if (folder.empty()) return;
    std::error_code failed;
    fs::create_directories(folder, failed);
    fs::path file = note_file(folder, model);
    const Json before = note_in(file);
    if (is_loading(before) && writer_lives(before)) return;
    file_ = std::move(file);
    note_ = {{"model", model.string()}, {"bytes", size_of_file(model)}, {"state", "loading"}, {"pid", getpid()}, {"process_began", began_at(getpid())}, {"began", base::rfc3339(base::SystemClock().now())}, {"at", seconds_now()}};
    if (is_of(before, note_.value("bytes", std::uint64_t(0))) && is_proven(before)) note_["proven"] = true;
    if (is_loading(before)) note_["died"] = before, note_["died"].erase("died");
    else if (before.contains("died")) note_["died"] = before["died"];
    if (is_loading(before)) death_ = told_death(note_["died"]);
}

// Of one process's death a renamed file tells whole; of the machine's nothing is asked, so it is not flushed.
void LoadNote::write() {
    if (file_.empty()) return;
    const fs::path fresh = file_.string() + ".new";
    std::ofstream(fresh) << base::dump(note_) << '\n';
    std::error_code failed;
    fs::rename(fresh, file_, failed);
    written_ = std::chrono::steady_clock::now();
}

void LoadNote::reached(const std::string& stage, double fraction, std::uint64_t free) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t mib = free >> 20;
    if (note_.value("stage", "") == stage && std::chrono::steady_clock::now() - written_ < kNoteEach) return;
    if (!note_.contains("free_mib_before")) note_["free_mib_before"] = mib;
    note_.update({{"stage", stage}, {"percent", int(fraction * 100)}, {"free_mib", mib}});
    write();
}

void LoadNote::loaded(const Json& facts) {
    const std::lock_guard lock(mutex_);
    note_["state"] = "loaded";
    note_.update(facts);
    write();
}

void LoadNote::failed(const std::string& error) {
    const std::lock_guard lock(mutex_);
    note_.update({{"state", "failed"}, {"error", error}});
    write();
}

bool LoadNote::ended_well(const fs::path& folder, const fs::path& model) {
    const Json note = note_in(note_file(folder, model));
    return is_of(note, size_of_file(model)) && is_proven(note);
}

base::Probes LoadNote::probes(const fs::path& folder) {
    base::Probes out;
    std::error_code none;
    for (fs::directory_iterator at(folder, none), end; !none && at != end; at.increment(none)) {
        if (at->path().extension() != ".json") continue;
        const Json note = note_in(at->path());
        const bool now = is_loading(note) && !writer_lives(note);
        if (!now && !note.contains("died")) continue;
        const Json& died = now ? note : note["died"];
        if (std::chrono::seconds(seconds_now() - died.value("at", std::int64_t(0))) > kToldFor) continue;
        const bool since = !now && note.value("state", "") == "loaded";
        out.push_back({"load of a model", base::Health::warning, told_death(died) + (since ? "; it has loaded since" : ""), "the kernel's log (dmesg, journalctl -k) says whether it was ended for memory: then choose a smaller model, or set model.memory_mib"});
    }
    return out;
}

}  // namespace router
