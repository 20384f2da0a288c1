#include "app/model_copy.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>

#include "app/model_file.h"
#include "engine/convert.h"
#include "engine/model/converted_file.h"
#include "engine/raw_bytes.h"

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWorthIt = 64 << 20;  // bytes of a file below which packing takes no time that anybody notices
constexpr std::uint64_t kRoomLeft = 2;        // times a copy, which its disk keeps free beside it

// Copies of other states of that file, and parts of them; those of other files another server may be reading or writing.
void remove_copies_of(const fs::path& source, const fs::path& folder) {
    constexpr std::size_t print = 16;
    const std::string stem = source.stem().string() + "-";
    std::error_code none;
    for (fs::directory_iterator at(folder, none), end; !none && at != end; at.increment(none)) {
        std::string name = at->path().filename().string();
        if (name.starts_with('.') && name.ends_with(".partial")) name.erase(0, 1);
        std::error_code stays;
        if (name.starts_with(stem) && name.find(".hearth") == stem.size() + print) fs::remove(at->path(), stays);
    }
}

bool is_part(const fs::path& file) { return file.stem().string().find("-of-") != std::string::npos; }

}  // namespace

fs::path copy_of_model(const Settings& settings, const fs::path& source) {
    struct stat file {};
    const bool always = settings.model.copy == "always";
    if (settings.model.copy == "off" || stat(source.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return {};
    if (is_part(source) || engine::ConvertedFile::is_one(source) || (!always && std::uint64_t(file.st_size) < kWorthIt)) return {};
    std::error_code unreadable;
    const std::string state = fs::canonical(source, unreadable).string() + "\n" + std::to_string(file.st_size) + "\n" + std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
    return settings.state_folder / "laid-out" / (source.stem().string() + "-" + engine::raw::hex(engine::raw::checksum(state)) + ".hearth");
}

ModelCopier::ModelCopier(engine::LoadOptions options, bool whatever_room, std::function<bool()> ready, base::Log& log)
    : options_(std::move(options)), whatever_room_(whatever_room), ready_(std::move(ready)), log_(log), thread_([this] { wait_and_copy(); }) {}

ModelCopier::~ModelCopier() {
    closing_.request_stop();
    thread_.join();
}

void ModelCopier::wait_and_copy() {
    const base::StopToken stop = closing_.token();
    constexpr int naps_each = 10;  // between two questions: a stop is heard sooner
    for (int nap = 0; !stop.stopped() && (nap % naps_each != 0 || !ready_()); ++nap) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::error_code unreadable;
    if (stop.stopped() || fs::exists(options_.copy, unreadable)) return;
    setpriority(PRIO_PROCESS, 0, 19);  // on Linux of this CPU thread
    options_.threads = 1;
    base::Result<void> done;
    try {
        done = copy();
    } catch (const std::exception& e) {
        done = base::error(base::Code::internal, e.what());
    }
    if (!done && !stop.stopped()) log_.warn("no copy of the model is made, and each start packs its weights", {{"file", options_.path.string()}, {"error", done.error().text()}});
}

base::Result<void> ModelCopier::copy() {
    // Which convert leaves out, and a start from the copy would miss.
    if (has_head_for_drafting(options_.path)) return base::error(base::Code::unsupported, "the model has a head for drafting, which a copy would not have");
    const fs::path folder = options_.copy.parent_path();
    fs::create_directories(folder);
    remove_copies_of(options_.path, folder);
    const std::uint64_t size = fs::file_size(options_.path), room = fs::space(folder).available;
    if (!whatever_room_ && room < (1 + kRoomLeft) * size)
        return base::error(base::Code::resource_exhausted, folder.string() + " has room for " + std::to_string(room >> 20) + " MiB, of which a copy of " + std::to_string(size >> 20) + " MiB would leave too little",
                           "make room, or set model.copy to always or off");
    const auto began = std::chrono::steady_clock::now();
    const auto made = engine::convert(options_, options_.copy, {}, closing_.token());
    if (!made) return made.error();
    log_.info("the model's weights are copied as the kernels want them: the next start maps them",
              {{"file", options_.path.string()}, {"copy", options_.copy.string()}, {"mib", made->bytes >> 20}, {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()}});
    return {};
}

}  // namespace app
