// hearth prompt: what agents are told, by version. Works without a running server; runs that begin from then on read what is live.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands.h"
#include "app/database.h"
#include "app/line_diff.h"
#include "app/prompt_version.h"
#include "app/terminal.h"
#include "store/prompts.h"

namespace app {
namespace {

using base::Code;
using store::PromptVersion;

constexpr std::size_t kMostBytes = 256 << 10;  // of a prompt: more is no prompt, and the context of no model

base::Result<std::vector<PromptVersion>> versions_of(const LoadedSettings& loaded, const std::string& name) {
    return as_owner(loaded.settings, [&](store::Tx& tx) { return store::prompt_versions(tx, name); });
}

std::string joined(const std::vector<std::string>& labels) {
    std::string out;
    for (const auto& label : labels) out += (out.empty() ? "" : ", ") + label;
    return out;
}

base::Json version_json(const PromptVersion& one) {
    return {{"name", one.prompt.name}, {"version", one.prompt.version}, {"labels", one.labels}, {"created", base::rfc3339(one.created)}, {"released", one.released}};
}

base::Result<std::string> read_text(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (file != "-" && !in) return base::error(Code::not_found, "the file '" + file + "' cannot be read");
    std::string text{std::istreambuf_iterator<char>(file == "-" ? std::cin.rdbuf() : in.rdbuf()), {}};
    if (text.size() > kMostBytes) return base::error(Code::invalid_argument, "'" + file + "' has " + std::to_string(text.size()) + " bytes, a prompt at most " + std::to_string(kMostBytes));
    return text;
}

}  // namespace

int prompt_list(const LoadedSettings& loaded, bool json) {
    const auto all = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<std::vector<store::PromptSummary>> { return store::list_prompts(tx); });
    if (!all) return complain(all.error());
    base::Json out = base::Json::array();
    if (!json) std::printf("%-22s %5s %7s %8s\n", "prompt", "live", "newest", "shipped");
    for (const auto& one : *all) {
        if (!json) std::printf("%-22s %5d %7d %8d\n", visible(one.name).c_str(), one.live, one.newest, one.shipped);
        out.push_back({{"name", one.name}, {"live", one.live}, {"newest", one.newest}, {"shipped", one.shipped}});
    }
    if (json) print_json(out);
    return 0;
}

int prompt_versions(const LoadedSettings& loaded, const std::string& name, bool json) {
    const auto versions = versions_of(loaded, name);
    if (!versions) return complain(versions.error());
    base::Json out = base::Json::array();
    for (const PromptVersion& one : *versions) {
        const std::string made = base::rfc3339(one.created);
        if (!json)
            std::printf("%4d  %s  %-22s %s\n", one.prompt.version, (made.substr(0, 10) + " " + made.substr(11, 8)).c_str(), joined(one.labels).c_str(), visible(one.released).c_str());
        out.push_back(version_json(one));
    }
    if (json) print_json(out);
    return 0;
}

int prompt_show(const LoadedSettings& loaded, const std::string& name, const std::string& version, bool json) {
    const auto versions = versions_of(loaded, name);
    if (!versions) return complain(versions.error());
    const auto chosen = store::choose_version(*versions, version);
    if (!chosen) return complain(chosen.error());
    if (json) {
        base::Json out = version_json(*chosen);
        out["body"] = chosen->prompt.body;
        print_json(out);
    } else {
        std::fputs(chosen->prompt.body.c_str(), stdout);  // as it is: what save reads
        if (!chosen->prompt.body.ends_with('\n')) std::putchar('\n');
    }
    return 0;
}

int prompt_diff(const LoadedSettings& loaded, const std::string& name, const std::string& before, const std::string& after) {
    const auto versions = versions_of(loaded, name);
    if (!versions) return complain(versions.error());
    const auto from = store::choose_version(*versions, before);
    const auto to = store::choose_version(*versions, after.empty() ? std::to_string(versions->front().prompt.version) : after);
    for (const auto* one : {&from, &to})
        if (!*one) return complain(one->error());
    const std::string text = diff_text(line_diff(from->prompt.body, to->prompt.body));
    std::printf("%s %d → %d%s\n", visible(name).c_str(), from->prompt.version, to->prompt.version, text.empty() ? ": the same text" : "");
    std::fputs(visible(text).c_str(), stdout);
    return 0;
}

int prompt_save(const LoadedSettings& loaded, const std::string& name, const std::string& file, bool fresh, bool json) {
    const auto text = read_text(file);
    if (!text) return complain(text.error());
    const auto version = as_owner(loaded.settings, [&](store::Tx& tx) { return fresh ? store::create_prompt(tx, name, *text) : store::save_prompt(tx, name, *text); });
    if (!version) return complain(version.error());
    if (json) print_json({{"name", name}, {"version", *version}, {"labels", {"draft"}}});
    else if (fresh) std::printf("%s is there, a draft; hearth prompt release %s 1 --override REASON makes it live\n", name.c_str(), name.c_str());
    else std::printf("%s has version %d, a draft; hearth quality run --prompt %s@%d measures it, then hearth prompt release %s %d makes it live\n", name.c_str(), *version, name.c_str(), *version, name.c_str(), *version);
    return 0;
}

int prompt_release(const LoadedSettings& loaded, const std::string& name, int version, const std::optional<std::string>& override_reason, bool json) {
    const auto grounds = override_reason ? store::Grounds::override_ : store::Grounds::quality;
    const auto released = as_owner(loaded.settings, [&](store::Tx& tx) { return store::release_prompt(tx, name, version, grounds, override_reason.value_or("")); });
    if (!released) return complain(released.error());
    if (json) print_json({{"name", name}, {"live", version}});
    else std::printf("version %d of %s is live; hearth prompt rollback %s takes it back\n", version, name.c_str(), name.c_str());
    return 0;
}

int prompt_rollback(const LoadedSettings& loaded, const std::string& name, bool json) {
    const auto version = as_owner(loaded.settings, [&](store::Tx& tx) { return store::roll_back_prompt(tx, name); });
    if (!version) return complain(version.error());
    if (json) print_json({{"name", name}, {"live", *version}});
    else std::printf("version %d of %s is live again\n", *version, name.c_str());
    return 0;
}

}  // namespace app
