// What is written of a load while it goes on, so that one in which the process died can be told of by the next; and
// whether one of each file ended well.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/probe.h"

namespace router {

class LoadNote {
public:
    // Begins one. `folder` empty: nothing is written. A note that another process of now is writing is left alone.
    LoadNote(const std::filesystem::path& folder, const std::filesystem::path& model);

    // Of an earlier process that died in a load of this file, in words; empty: none did.
    const std::string& death() const { return death_; }

    // From any CPU thread; written when the stage is another or some time has passed. `free`: bytes of memory that can still be taken.
    void reached(const std::string& stage, double fraction, std::uint64_t free);
    // `facts`: more of what is to be kept of a load that ended well.
    void loaded(const base::Json& facts);
    void failed(const std::string& error);

    // Whether a load of that file here ended well, and no process died in one since.
    static bool ended_well(const std::filesystem::path& folder, const std::filesystem::path& model);
    // One where a process died lately in a load.
    static base::Probes probes(const std::filesystem::path& folder);

private:
    void write();

    std::filesystem::path file_;
    std::string death_;
    std::mutex mutex_;  // of what follows
    base::Json note_ = base::Json::object();
    base::SteadyPoint written_{};
};

}  // namespace router
