// The bytes of a secret, in memory that is kept out of swap and core dumps and is wiped at its end.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

namespace base {

// Overwrites all of the text, also what an earlier, longer value left behind its end, and empties it.
void wipe(std::string& text);

// Cannot be copied, printed or serialised: reveal() is the one way to the bytes, and easy to search for.
class SecretValue {
public:
    SecretValue() = default;
    explicit SecretValue(std::size_t size);      // zeros, to be filled through bytes()
    static SecretValue take(std::string& text);  // and wipes the text
    SecretValue(SecretValue&& other) noexcept { swap(other); }
    SecretValue& operator=(SecretValue&& other) noexcept {
        SecretValue(std::move(other)).swap(*this);
        return *this;
    }
    ~SecretValue();

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::string_view reveal() const { return {reinterpret_cast<const char*>(data_), size_}; }
    std::span<unsigned char> bytes() { return {data_, size_}; }
    void shrink(std::size_t size);               // to the first `size` bytes; the others are wiped

private:
    void swap(SecretValue& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(mapped_, other.mapped_);
    }
    unsigned char* data_ = nullptr;
    std::size_t size_ = 0, mapped_ = 0;
};

std::ostream& operator<<(std::ostream&, const SecretValue&) = delete;
void to_json(nlohmann::json&, const SecretValue&) = delete;

}  // namespace base
