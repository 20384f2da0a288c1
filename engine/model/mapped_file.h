// A file mapped for reading: how every container of weights is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace engine {

// The remedy for a file that contradicts itself.
inline constexpr const char* kFetchAgain = "the file is damaged or was not fetched whole: fetch it again, or choose another";

// What a file is that was put in a model's place: "a web page", "a Git LFS pointer", …; empty: nothing that is known.
std::string taken_for_a_model(std::span<const std::uint8_t> bytes);

// Unmapped at the end of its life.
class MappedFile {
public:
    // `alignment`: of its address, for files whose large pages the kernel may map as such; 0: a page.
    static base::Result<std::unique_ptr<MappedFile>> open(const std::filesystem::path& path, std::size_t alignment = 0);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
    // Gives the memory of a part of any mapping back; its bytes are still there, read anew from the file when touched.
    static void release(std::span<const std::uint8_t> part);
    // Copies a part of the mapping by reads of the file: what is gone of it is an error here, and would end the process where
    // the mapping is touched.
    base::Result<void> read(std::span<const std::uint8_t> part, std::uint8_t* to) const;
    // That nothing was cut from the file since it was opened.
    bool is_whole() const;
    bool holds(std::span<const std::uint8_t> part) const { return part.data() >= data_ && part.data() + part.size() <= data_ + size_; }
    void forget(std::span<const std::uint8_t> part) const;  // in the page cache

private:
    MappedFile(const std::uint8_t* data, std::size_t size, int fd) : data_(data), size_(size), fd_(fd) {}
    const std::uint8_t* data_;
    std::size_t size_;
    int fd_;
};

}  // namespace engine
