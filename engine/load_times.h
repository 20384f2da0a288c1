// How long a model took to load, and how much of it the disk had to give.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace engine {

struct LoadTimes {
    double seconds = 0;
    std::uint64_t file_bytes = 0;
    std::optional<std::uint64_t> disk_bytes;  // that this process read from disks meanwhile; none: the kernel does not say

    double mb_per_s() const;
    // Whether the file was in the page cache: "cold", "partly cold", "warm", "unknown".
    const char* kind() const;
    std::string text() const;  // "1.32 s, 469 MB at 355 MB/s, warm (0 MB from the disk)"
};

// Begins with the load. Of a process that loads several models at once the bytes of all are counted.
class LoadWatch {
public:
    LoadWatch();
    LoadTimes ended(std::uint64_t file_bytes) const;

private:
    std::chrono::steady_clock::time_point began_;
    std::uint64_t read_;
};

}  // namespace engine
