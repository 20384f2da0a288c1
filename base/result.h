// Result<T>: the value or the Error of an operation whose failure is an expected outcome.
// What ends a request (a lost database, a broken invariant) is an exception instead.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace base {

enum class Code {
    invalid_argument,    // the caller's input is wrong; the message names the field and the value
    not_found,           // also returned for what the caller may not see
    permission_denied,   // policy, sandbox or file system said no
    conflict,            // the state differs from what the caller assumed
    resource_exhausted,  // memory, budget, queue or disk is full
    unavailable,         // a part is loading, down or unreachable; trying again can help
    cancelled,
    deadline,
    unsupported,  // well-formed, but not implemented here
    corrupt,      // a file or row contradicts itself
    io,
    context_length_exceeded,  // the prompt does not fit into the model's context
    internal,
};

// Stable lower-case name, used in JSON and logs.
std::string_view name(Code code);

struct Error {
    Code code = Code::internal;
    std::string message;  // names the thing, the value and what was expected
    std::string remedy;   // what the reader can do; may be empty

    // "message (remedy)" for people.
    std::string text() const { return remedy.empty() ? message : message + " (" + remedy + ")"; }
};

inline Error error(Code code, std::string message, std::string remedy = {}) {
    return {code, std::move(message), std::move(remedy)};
}

// Thrown when the value of a failed Result is asked for: a broken invariant of the caller.
struct BadResult : std::logic_error {
    explicit BadResult(const Error& e) : std::logic_error("no value: " + e.text()) {}
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error e) : state_(std::in_place_index<1>, std::move(e)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & { return check(), std::get<0>(state_); }
    const T& value() const& { return check(), std::get<0>(state_); }
    T&& value() && { return check(), std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T value_or(T other) const& { return ok() ? std::get<0>(state_) : std::move(other); }

    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

private:
    void check() const {
        if (!ok()) throw BadResult(std::get<1>(state_));
    }
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error e) : error_(std::move(e)) {}

    bool ok() const { return !error_; }
    explicit operator bool() const { return ok(); }
    void value() const {
        if (error_) throw BadResult(*error_);
    }
    const Error& error() const& { return *error_; }
    Error&& error() && { return *std::move(error_); }

private:
    std::optional<Error> error_;
};

}  // namespace base
