// hearth model list, pull, use: the catalogue, what is here, which one serve loads.
#include <unistd.h>

#include <cstdio>

#include "app/backends.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/engine.h"
#include "router/catalogue.h"

namespace app {
namespace {

namespace fs = std::filesystem;

base::Result<router::ModelEntry> find_entry(const Settings& settings, const std::string& name) {
    auto models = router::read_catalogue(catalogue_file(settings));
    if (!models) return std::move(models).error();
    std::string known;
    for (const auto& model : *models) {
        if (model.name == name || name.empty()) return model;
        known += (known.empty() ? "" : ", ") + model.name;
    }
    return base::error(base::Code::not_found, "there is no model '" + name + "' in the catalogue", "there are: " + known);
}

base::Result<void> choose(const Settings& settings, const fs::path& file) {
    std::error_code failed;
    const fs::path link = models_folder(settings) / "current.gguf", fresh = models_folder(settings) / ".current.new";
    fs::create_directories(models_folder(settings), failed);
    fs::remove(fresh, failed);
    fs::create_symlink(fs::absolute(file), fresh, failed);
    if (!failed) fs::rename(fresh, link, failed);  // atomic: a server that starts meanwhile sees the old or the new
    if (failed) return base::error(base::Code::io, "cannot point " + link.string() + " to " + file.string() + ": " + failed.message());
    return {};
}

}  // namespace

int model_list(const LoadedSettings& loaded, bool json) {
    auto models = router::read_catalogue(catalogue_file(loaded.settings));
    if (!models) return complain(models.error());
    const fs::path current = chosen_model(loaded.settings);
    const std::uint64_t memory = room_for_a_model(loaded.settings);
    base::Json out = base::Json::array();
    std::vector<std::string> damaged;
    std::error_code none;
    for (const auto& m : *models) {
        const fs::path file = models_folder(loaded.settings) / m.file;
        const bool there = fs::exists(file, none), used = there && fs::equivalent(file, current, none);
        const bool here = there && fs::file_size(file, none) == m.bytes;
        if (there && !here) damaged.push_back(m.name);
        if (!json)
            std::printf("%c %-32s %6.0f MiB  %-12s %-10s %s%s\n", used ? '*' : ' ', m.name.c_str(), double(m.bytes) / 1048576, m.licence.c_str(), here ? "here" : there ? "damaged" : "not here", m.note.c_str(),
                        m.needs() > memory ? " (too large for this machine now)" : "");
        out.push_back({{"name", m.name}, {"bytes", m.bytes}, {"memory", m.needs()}, {"fits", m.needs() <= memory}, {"licence", m.licence}, {"here", here}, {"damaged", there && !here}, {"used", used}, {"note", m.note}});
    }
    for (const auto& name : damaged) std::fprintf(stderr, "hearth: the file of %s has the wrong size\n        → hearth model pull %s\n", name.c_str(), name.c_str());
    if (json) print_json(out);
    else if (fs::exists(current, none)) std::printf("* serve loads %s\n", current.c_str());
    if (const auto* best = router::best_model(*models, memory); best && !json && !fs::equivalent(models_folder(loaded.settings) / best->file, current, none))
        std::printf("this machine could carry %s: hearth model pull %s && hearth model use %s\n", best->name.c_str(), best->name.c_str(), best->name.c_str());
    return 0;
}

int model_pull(const LoadedSettings& loaded, const std::string& name) {
    auto entry = find_entry(loaded.settings, name);
    if (!entry) return complain(entry.error());
    const bool terminal = isatty(STDERR_FILENO);
    // A source that another follows is no failure: most machines reach only one of them.
    const auto source_failed = [terminal](const std::string& why, bool another) {
        std::fprintf(stderr, "%s%s%s%s\n", terminal ? "\r" : "", another ? "" : "hearth: ", visible(why).c_str(), another ? ": trying the next source" : "");
    };
    auto file = router::pull_model(*entry, models_folder(loaded.settings), show_progress, source_failed);
    end_progress();
    if (!file) return complain(file.error());
    std::error_code none;
    if (!fs::exists(models_folder(loaded.settings) / "current.gguf", none))
        if (auto chosen = choose(loaded.settings, *file); !chosen) return complain(chosen.error());
    std::printf("%s\n", file->c_str());
    if (entry->note.find("cannot use tools") != std::string::npos) std::fprintf(stderr, "note: %s %s\n", entry->name.c_str(), entry->note.c_str());
    return 0;
}

int model_use(const LoadedSettings& loaded, const std::string& name) {
    fs::path file = name;
    if (std::error_code unreadable; !fs::exists(file, unreadable) && !unreadable) {
        auto entry = find_entry(loaded.settings, name);
        if (!entry) return complain(entry.error());
        file = models_folder(loaded.settings) / entry->file;
        if (std::error_code none; !fs::exists(file, none)) return complain(base::error(base::Code::not_found, "the model " + name + " is not here yet", "hearth model pull " + name));
    }
    auto info = engine::Engine::inspect(file);
    if (!info) return complain(model_error(info.error(), loaded.settings, file));
    if (info->encoder) return complain(encoder_error(file));
    if (auto chosen = choose(loaded.settings, file); !chosen) return complain(chosen.error());
    std::printf("serve loads %s from its next start on\n", file.c_str());
    return 0;
}

}  // namespace app
