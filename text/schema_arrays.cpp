// Arrays: items in a row, and what the schema says of all of them together.
#include <algorithm>
#include <bit>
#include <map>

#include "text/schema_writer.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr std::size_t max_places = 4000;
constexpr std::size_t max_in_any_order = 9, max_in_order = 60;  // of distinct values

const Json& item_rule(const Json& schema, std::size_t i) {
    static const Json anything = true;
    if (schema.contains("prefixItems") && i < schema["prefixItems"].size()) return schema["prefixItems"][i];
    return schema.contains("items") ? schema["items"] : anything;
}

std::string item_step(const Json& schema, std::size_t i) {
    return schema.contains("prefixItems") && i < schema["prefixItems"].size() ? "/prefixItems/" + std::to_string(i) : "/items";
}

// One "contains" with its bounds.
struct Contains {
    Json schema;
    int least, most;
};

Contains contains_of(const Json& schema) { return {schema["contains"], count(schema, "minContains", 1), count(schema, "maxContains", -1)}; }

std::vector<Contains> all_contains(const Json& schema) {
    std::vector<Contains> out;
    const auto add = [&](const Json& s) {
        if (s.contains("contains") && (count(s, "minContains", 1) > 0 || s.contains("maxContains"))) out.push_back(contains_of(s));
    };
    add(schema);
    if (schema.contains("allOf"))
        for (const Json& part : schema["allOf"]) add(part);
    return out;
}

}  // namespace

// Items that one "contains" counts: the states are how many items were written and how many of them it matched,
// as far as the bounds tell them apart.
class SchemaWriter::CountedItems {
public:
    CountedItems(SchemaWriter& writer, const Json& schema, Contains contains)
        : writer_(writer), schema_(schema), contains_(std::move(contains)), least_(count(schema, "minItems", 0)), most_(count(schema, "maxItems", -1)) {
        const std::size_t prefix = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
        last_ = std::max({int(prefix), least_, most_, 1});
    }

    std::string write() { return place(0, 0); }

private:
    std::string place(int i, int n) {
        const auto [it, fresh] = places_.try_emplace({i, n});
        if (!fresh) return it->second;
        if (places_.size() > max_places) throw Refused{"the counts of an array's items are too large for a grammar"};
        const std::string name = it->second = writer_.fresh_name();
        std::string out;
        const auto add = [&](const std::string& one) { out += (out.empty() ? "" : "| ") + one; };
        if (most_ < 0 || i < most_) {
            const int next = most_ < 0 ? std::min(i + 1, last_) : i + 1;
            const std::string separator = i > 0 ? writer_.comma() : "";
            const int matched = contains_.most < 0 ? std::min(n + 1, contains_.least) : n + 1;
            if (contains_.most < 0 || n < contains_.most)
                if (const Expr e = item(i, true)) add(separator + *e + place(next, matched));
            if (const Expr e = item(i, false)) add(separator + *e + place(next, n));
        }
        if (i >= least_ && n >= contains_.least) add("\"\" ");
        writer_.add_rule(name, out.empty() ? "\"0\" " + name : out);  // without an end: never begun
        return name;
    }

    // The item there, when it matches or not; where no bound asks for it, those that do not match are all items.
    Expr item(int i, bool matching) {
        const auto at = schema_.contains("prefixItems") ? std::min(std::size_t(i), schema_["prefixItems"].size()) : 0;
        const auto [it, fresh] = items_.try_emplace({at, matching});
        if (!fresh) return it->second;
        Json rule = item_rule(schema_, at);
        if (matching) rule = both_schemas(rule, contains_.schema);
        if (!matching && contains_.most >= 0) rule = both_schemas(rule, Json{{"not", contains_.schema}});
        const Expr e = writer_.inner(rule, matching ? "/contains" : item_step(schema_, at));
        return items_[{at, matching}] = e ? Expr(writer_.rule(*e)) : e;
    }

    SchemaWriter& writer_;
    const Json& schema_;
    Contains contains_;
    int least_, most_, last_;  // from the last on places are alike
    std::map<std::pair<int, int>, std::string> places_;
    std::map<std::pair<std::size_t, bool>, Expr> items_;
};

// Unique items out of a few values: the states are which of them were written; of many values, which was the last, and
// they stand in the schema's order.
class SchemaWriter::UniqueItems {
public:
    UniqueItems(SchemaWriter& writer, const Json& schema, const std::vector<Contains>& contains) : writer_(writer), least_(count(schema, "minItems", 0)), most_(count(schema, "maxItems", -1)) {
        const std::size_t prefix = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
        for (std::size_t i = 0; i <= prefix; ++i) {
            if (i == prefix && (item_rule(schema, i) == false || (most_ >= 0 && most_ <= int(prefix)))) break;
            const auto some = writer.values_of(item_rule(schema, i));
            if (!some) throw Refused{"the keyword \"uniqueItems\" has no grammar but for items out of a few values (\"enum\", booleans)"};
            allowed_.emplace_back();
            for (const Json& v : *some) {
                auto at = std::find_if(values_.begin(), values_.end(), [&](const Json& other) { return base::Json(other) == base::Json(v); });
                allowed_.back().push_back(std::size_t(at - values_.begin()));
                if (at == values_.end()) values_.push_back(v);
            }
        }
        if (values_.size() > max_in_order) throw Refused{"the keyword \"uniqueItems\" of more than " + std::to_string(max_in_order) + " values has no grammar"};
        for (const Contains& c : contains) {
            counts_.push_back({0, c.least, c.most});
            const Json matched = writer.plain_.holding(values_, c.schema);
            for (std::size_t v = 0; v < values_.size(); ++v)
                if (std::find(matched.begin(), matched.end(), values_[v]) != matched.end()) counts_.back().values |= std::uint64_t(1) << v;
        }
        any_order_ = values_.size() <= max_in_any_order;
        if (!any_order_ && !contains.empty()) throw Refused{"the keyword \"contains\" beside unique items of many values has no grammar"};
        open_ended_ = allowed_.size() > prefix;
    }

    std::string write() { return place(0, 0); }

private:
    struct Count {
        std::uint64_t values;
        int least, most;
    };

    bool may_end(std::size_t i, std::uint64_t used) const {
        return int(i) >= least_ && std::all_of(counts_.begin(), counts_.end(), [&](const Count& c) {
                   const int n = std::popcount(used & c.values);
                   return n >= c.least && (c.most < 0 || n <= c.most);
               });
    }

    // `i` items were written: `used`, or (in order) the last of these.
    std::string place(std::size_t i, std::uint64_t used) {
        const auto [it, fresh] = places_.try_emplace({any_order_ ? 0 : i, used});
        if (!fresh) return it->second;
        if (places_.size() > max_places) throw Refused{"unique items of so many values have no grammar"};
        const std::string name = it->second = writer_.fresh_name();
        std::string out;
        const auto add = [&](const std::string& one) { out += (out.empty() ? "" : "| ") + one; };
        if ((most_ < 0 || int(i) < most_) && (i < allowed_.size() || open_ended_))
            for (std::size_t v : allowed_[std::min(i, allowed_.size() - 1)]) {
                const std::uint64_t bit = std::uint64_t(1) << v;
                if (any_order_ ? (used & bit) != 0 : bit <= used) continue;
                add((i > 0 ? writer_.comma() : "") + writer_.value(values_[v]) + place(i + 1, any_order_ ? used | bit : bit));
            }
        if (may_end(i, used)) add("\"\" ");
        writer_.add_rule(name, out.empty() ? "\"0\" " + name : out);
        return name;
    }

    SchemaWriter& writer_;
    int least_, most_;
    bool any_order_ = true, open_ended_ = false;
    Json values_ = Json::array();
    std::vector<std::vector<std::size_t>> allowed_;  // [places, the last one for all that follow] which values
    std::vector<Count> counts_;
    std::map<std::pair<std::size_t, std::uint64_t>, std::string> places_;
};

// All values that the schema accepts, where these are few.
std::optional<base::OrderedJson> SchemaWriter::values_of(const Json& schema) {
    Json out = Json::array();
    for (const Json& one : plain_.of(schema)) {
        if (one.contains("enum")) {
            for (const Json& v : one["enum"]) out.push_back(v);
            continue;
        }
        for (const std::string& type : types_of(one)) {
            if (type != "boolean" && type != "null") return std::nullopt;
            if (type == "null") out.push_back(nullptr);
            if (type == "boolean") out.push_back(true), out.push_back(false);
        }
    }
    return plain_.holding(out, schema);
}

SchemaWriter::Expr SchemaWriter::array(const Json& schema) {
    const auto contains = all_contains(schema);
    const bool unique = schema.value("uniqueItems", Json(false)) == true && count(schema, "maxItems", 2) > 1;
    if (!unique && contains.empty()) return plain_array(schema);
    if (!unique && contains.size() > 1) throw Refused{"the keyword \"contains\" given twice, differently, in schemas that must hold together, has no grammar"};
    const std::string items = unique ? UniqueItems(*this, schema, contains).write() : CountedItems(*this, schema, contains[0]).write();
    return "\"[\" " + space() + items + space() + "\"]\" ";
}

SchemaWriter::Expr SchemaWriter::plain_array(const Json& schema) {
    std::vector<std::string> prefix;
    const Json rest = schema.contains("items") ? schema["items"] : Json(true);
    const Json first = schema.contains("prefixItems") ? schema["prefixItems"] : Json::array();
    const int least = count(schema, "minItems", 0);
    int most = count(schema, "maxItems", -1);
    for (const Json& part : first) {
        const Expr e = most >= 0 && int(prefix.size()) >= most ? std::nullopt : inner(part, "/prefixItems/" + std::to_string(prefix.size()));
        if (!e) {  // the array must end before this one
            most = int(prefix.size());
            break;
        }
        prefix.push_back(*e);
    }
    const auto n = int(prefix.size());
    const Expr item = most >= 0 && most <= n ? std::nullopt : inner(rest, "/items");
    if (!item) most = most < 0 ? n : std::min(most, n);
    if (most >= 0 && most < least) return std::nullopt;
    const std::string one = item ? rule(*item) : "";
    std::string body;
    if (n == 0) {
        if (item) body = one + repeat_ebnf(comma() + one, std::max(least - 1, 0), most < 0 ? -1 : most - 1);
    } else {
        if (item) body = repeat_ebnf(comma() + one, std::max(least - n, 0), most < 0 ? -1 : most - n);
        for (int i = n; i-- > 0;) {
            body = (i > 0 ? comma() : "") + prefix[std::size_t(i)] + body;
            if (i > 0 && i >= least) body = "( " + body + ")? ";
        }
    }
    if (body.empty()) return "\"[\" " + space() + "\"]\" ";
    if (least == 0) body = "( " + body + space() + ")? ";
    return "\"[\" " + space() + body + (least ? space() : "") + "\"]\" ";
}

}  // namespace text
