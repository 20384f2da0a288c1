// The filters of jinja2 in three families, a table row each. Internal to the evaluator.
#pragma once

#include <span>
#include <string_view>

#include "text/jinja/evaluator.h"

namespace text::jinja {

struct FilterRow {
    std::string_view name;
    Value (*run)(Evaluator& e, const Value& value, const Arguments& arguments);
};
std::span<const FilterRow> sequence_filters();  // of lists and mappings
std::span<const FilterRow> text_filters();
std::span<const FilterRow> value_filters();     // of numbers and of anything

// An argument that must be a whole number; `what` names the filter.
std::int64_t whole(const Arguments& a, std::size_t position, std::string_view name, std::int64_t otherwise, const char* what);

}  // namespace text::jinja
