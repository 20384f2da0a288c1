#include "text/jinja/memory.h"

#include <limits>

#include "text/jinja/value.h"

namespace text::jinja {
namespace {

constexpr std::size_t most_held = std::size_t(128) << 20, most_text = std::size_t(64) << 20;
constexpr long long no_bound = std::numeric_limits<long long>::max();

// What was made before a thread's first rendering, or by another thread, may die here: below zero is no mistake.
thread_local long long held = 0, bound = no_bound;

[[noreturn]] void too_much() { throw TemplateError("the template holds more than " + std::to_string(most_held >> 20) + " MiB of lists, mappings and texts"); }

struct Text {
    explicit Text(std::string t) : charge(t.capacity() > std::string().capacity() ? t.capacity() : 0), text(std::move(t)) {}
    Charge charge;
    std::string text;
};

}  // namespace

void hold(std::size_t bytes) {
    if (bound != no_bound && (bytes > most_held || held + (long long)(bytes) > bound)) too_much();
    held += (long long)(bytes);
}

void release(std::size_t bytes) noexcept { held -= (long long)(bytes); }

void check_size(std::size_t bytes) {
    if (bytes > most_text) throw TemplateError("the template makes a text of more than " + std::to_string(most_text >> 20) + " MiB");
    if (bound != no_bound && held + (long long)(bytes) > bound) too_much();
}

HeldBound::HeldBound() : outer_(std::exchange(bound, held + (long long)(most_held))) {}
HeldBound::~HeldBound() { bound = outer_; }

std::shared_ptr<const std::string> counted_text(std::string text) {
    auto whole = counted<Text>(std::move(text));
    return {whole, &whole->text};
}

}  // namespace text::jinja
