#include "base/secret_value.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace base {

void wipe(std::string& text) {
    text.resize(text.capacity());
    explicit_bzero(text.data(), text.size());
    text.clear();
}

SecretValue::SecretValue(std::size_t size) : size_(size) {
    if (size == 0) return;
    const auto page = std::size_t(sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page;
    void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<unsigned char*>(memory);
    // Each may be refused (a limit, an old kernel), and the value is then only as safe as other memory.
    mlock(memory, mapped_);
    madvise(memory, mapped_, MADV_DONTDUMP);
    madvise(memory, mapped_, MADV_WIPEONFORK);
}

SecretValue SecretValue::take(std::string& text) {
    SecretValue out(text.size());
    if (!text.empty()) memcpy(out.data_, text.data(), text.size());
    wipe(text);
    return out;
}

SecretValue::~SecretValue() {
    if (!data_) return;
    explicit_bzero(data_, mapped_);
    munmap(data_, mapped_);  // unlocks, too
}

void SecretValue::shrink(std::size_t size) {
    if (size >= size_) return;
    explicit_bzero(data_ + size, size_ - size);
    size_ = size;
}

}  // namespace base
