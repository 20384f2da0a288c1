// Identifiers: UUID version 7 (RFC 9562 §5.7: 48 bits of Unix milliseconds, then random) and
// strong types over it, so that a RunId cannot be passed where a PersonId is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace base {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Uuid&) const = default;
    bool is_nil() const { return *this == Uuid{}; }
    std::string text() const;                               // 8-4-4-4-12, lower case
    static std::optional<Uuid> parse(std::string_view text);  // the form of text(), either case
    static Uuid v7(TimePoint now);                          // random bits from the kernel
};

// Tag is an empty struct; two Ids are the same type only with the same tag.
template <class Tag>
struct Id {
    Uuid value;

    auto operator<=>(const Id&) const = default;
    bool is_nil() const { return value.is_nil(); }
    std::string text() const { return value.text(); }
    static Id make(TimePoint now) { return {Uuid::v7(now)}; }
    static std::optional<Id> parse(std::string_view text) {
        if (auto id = Uuid::parse(text)) return Id{*id};
        return std::nullopt;
    }
};

using TenantId = Id<struct TenantTag>;
using PersonId = Id<struct PersonTag>;
using AudienceId = Id<struct AudienceTag>;  // a person or a group
using NodeId = Id<struct NodeTag>;
using ConversationId = Id<struct ConversationTag>;
using MessageId = Id<struct MessageTag>;
using RunId = Id<struct RunTag>;
using StepId = Id<struct StepTag>;
using SpanId = Id<struct SpanTag>;
using FactId = Id<struct FactTag>;
using KeyId = Id<struct KeyTag>;

}  // namespace base

template <class Tag>
struct std::hash<base::Id<Tag>> {
    std::size_t operator()(const base::Id<Tag>& id) const noexcept {
        std::size_t h = 14695981039346656037ull;  // FNV-1a
        for (auto b : id.value.bytes) h = (h ^ b) * 1099511628211ull;
        return h;
    }
};
