#include "engine/load_times.h"

#include <algorithm>
#include <cstdio>

#include "engine/kernel_file.h"

namespace engine {
namespace {

// Beyond the page cache; pages that a mapping brings in count as well.
std::uint64_t bytes_from_disks() { return KernelFile({"/proc/self/io"}).number_after("\nread_bytes:"); }

}  // namespace

double LoadTimes::mb_per_s() const { return double(file_bytes) / 1e6 / std::max(seconds, 1e-6); }

const char* LoadTimes::kind() const {
    if (!disk_bytes || file_bytes == 0) return "unknown";
    const double share = double(*disk_bytes) / double(file_bytes);
    return share >= 0.9 ? "cold" : share >= 0.1 ? "partly cold" : "warm";
}

std::string LoadTimes::text() const {
    char out[160];
    const int n = std::snprintf(out, sizeof out, "%.2f s, %.0f MB at %.0f MB/s, %s", seconds, double(file_bytes) / 1e6, mb_per_s(), kind());
    if (disk_bytes) std::snprintf(out + n, sizeof out - std::size_t(n), " (%.0f MB from the disk)", double(*disk_bytes) / 1e6);
    return out;
}

LoadWatch::LoadWatch() : began_(std::chrono::steady_clock::now()), read_(bytes_from_disks()) {}

LoadTimes LoadWatch::ended(std::uint64_t file_bytes) const {
    LoadTimes out;
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    out.file_bytes = file_bytes;
    if (const std::uint64_t now = bytes_from_disks(); now != UINT64_MAX && read_ != UINT64_MAX) out.disk_bytes = now - read_;
    return out;
}

}  // namespace engine
