// What a rendering holds in memory: a thread counts the bytes of the lists, mappings and texts that it has made, and a rendering
// may come to hold so many more and no further, however few steps it takes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace text::jinja {

void hold(std::size_t bytes);  // throws TemplateError beyond the bound
void release(std::size_t bytes) noexcept;
void check_size(std::size_t bytes);  // throws where a text of that size, held by nothing yet, is larger than any may be or has no room

// Bounds what this thread makes from here on, until it dies.
class HeldBound {
public:
    HeldBound();
    ~HeldBound();
    HeldBound(const HeldBound&) = delete;
    HeldBound& operator=(const HeldBound&) = delete;

private:
    long long outer_;
};

template <class T>
struct Counting {
    using value_type = T;
    Counting() = default;
    template <class U>
    Counting(const Counting<U>&) {}
    T* allocate(std::size_t n) {
        hold(n * sizeof(T) + overhead);
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        std::allocator<T>().deallocate(p, n);
        release(n * sizeof(T) + overhead);
    }
    bool operator==(const Counting&) const { return true; }

private:
    static constexpr std::size_t overhead = 16;  // of the heap
};

template <class T>
using Vector = std::vector<T, Counting<T>>;
using Texts = Vector<std::string>;

template <class T, class... Arguments>
std::shared_ptr<T> counted(Arguments&&... arguments) {
    return std::allocate_shared<T>(Counting<T>(), std::forward<Arguments>(arguments)...);
}

// Bytes that no container above counts.
class Charge {
public:
    Charge() = default;
    explicit Charge(std::size_t bytes) { add(bytes); }
    Charge(Charge&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Charge() { release(bytes_); }
    void add(std::size_t bytes) {
        hold(bytes);
        bytes_ += bytes;
    }

private:
    std::size_t bytes_ = 0;
};

std::shared_ptr<const std::string> counted_text(std::string text);

}  // namespace text::jinja
