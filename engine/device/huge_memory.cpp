#include "engine/device/huge_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/available_memory.h"

namespace engine {
namespace {

constexpr std::size_t kHugePage = 2 << 20;

}  // namespace

base::Result<HugeMemory> HugeMemory::allocate(std::size_t bytes, const std::string& purpose) {
    HugeMemory out;
    if (bytes == 0) return out;
    out.size_ = bytes;
    out.mapped_ = bytes + kHugePage;
    out.mapping_ = mmap(nullptr, out.mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (out.mapping_ == MAP_FAILED) {
        const std::string why = std::strerror(errno);
        out.mapping_ = nullptr;
        return base::error(base::Code::resource_exhausted,
                           "cannot get " + std::to_string(bytes >> 20) + " MiB of the machine's memory for " + purpose + ": " + why + "; " + std::to_string(available_memory() >> 20) + " MiB are available",
                           "free memory, raise the limit of this process (ulimit -v, its control group), or use a smaller model, context or fewer sequences");
    }
    const auto address = reinterpret_cast<std::uintptr_t>(out.mapping_);
    out.data_ = reinterpret_cast<std::uint8_t*>((address + kHugePage - 1) / kHugePage * kHugePage);
    madvise(out.data_, bytes, MADV_HUGEPAGE);  // a wish: small pages work too
    return out;
}

HugeMemory::HugeMemory(HugeMemory&& other) noexcept { *this = std::move(other); }

HugeMemory& HugeMemory::operator=(HugeMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

HugeMemory::~HugeMemory() {
    if (mapping_) munmap(mapping_, mapped_);
}

}  // namespace engine
