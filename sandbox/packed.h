// Numbers and texts in one string, length-prefixed; for processes of one machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace sandbox {

// Fields one after the other.
class Writer {
public:
    Writer& number(std::int64_t value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Writer& text(const std::string& value) {
        number(std::int64_t(value.size()));
        out_ += value;
        return *this;
    }
    Writer& texts(const std::vector<std::string>& values) {
        number(std::int64_t(values.size()));
        for (const std::string& value : values) text(value);
        return *this;
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

class Reader {
public:
    explicit Reader(const std::string& in) : in_(in) {}
    std::int64_t number() {
        std::int64_t value = 0;
        if (in_.size() - at_ < sizeof value) return good_ = false, 0;
        std::memcpy(&value, in_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    std::string text() {
        const std::int64_t size = number();
        if (size < 0 || std::uint64_t(size) > in_.size() - at_) return good_ = false, std::string();
        at_ += std::size_t(size);
        return in_.substr(at_ - std::size_t(size), std::size_t(size));
    }
    std::vector<std::string> texts() {
        std::vector<std::string> out;
        for (std::int64_t n = number(); n > 0 && good_; --n) out.push_back(text());
        return out;
    }
    bool complete() const { return good_ && at_ == in_.size(); }

private:
    const std::string& in_;
    std::size_t at_ = 0;
    bool good_ = true;
};

}  // namespace sandbox
