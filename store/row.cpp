// Cells of a result and parameters of a statement.
#include <charconv>
#include <cstdio>

#include "store/db.h"

namespace store {
namespace {

[[noreturn]] void unreadable(const std::string& cell, const char* type) {
    throw DbError(DbError::Kind::other, "the database gave '" + cell + "' where " + type + " was expected");
}

}  // namespace

Param::Param(double v) {
    char text[32];
    const auto [end, failed] = std::to_chars(text, text + sizeof text, v);
    text_ = std::string(text, end);
}

std::int64_t micros_of(base::TimePoint t) { return t.time_since_epoch().count(); }

std::string micros(std::string_view column) {
    return "(extract(epoch from " + std::string(column) + ") * 1000000)::bigint";
}

const std::string& Row::text(int column) const {
    const auto& cell = cells_.at(std::size_t(column));
    if (!cell) unreadable("null", "a value");
    return *cell;
}

std::string Row::text_or(int column, std::string other) const {
    const auto& cell = cells_.at(std::size_t(column));
    return cell ? *cell : other;
}

std::int64_t Row::integer(int column) const {
    const std::string& cell = text(column);
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (failed != std::errc{} || end != cell.data() + cell.size()) unreadable(cell, "an integer");
    return value;
}

double Row::real(int column) const {
    const std::string& cell = text(column);
    double value = 0;
    const auto [end, failed] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (failed != std::errc{} || end != cell.data() + cell.size()) unreadable(cell, "a number");
    return value;
}

bool Row::boolean(int column) const {
    const std::string& cell = text(column);
    if (cell != "t" && cell != "f") unreadable(cell, "a boolean");
    return cell == "t";
}

base::Json Row::json(int column) const {
    auto value = base::parse_json(text(column));
    if (!value) unreadable(text(column), "JSON");
    return *std::move(value);
}

base::TimePoint Row::time(int column) const { return base::TimePoint(std::chrono::microseconds(integer(column))); }

}  // namespace store
