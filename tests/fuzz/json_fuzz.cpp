// JSON from outside: depth is bounded, both readers agree, and what is written out reads back the same.
#include "base/json.h"
#include "fuzz.h"

namespace {

int depth(const base::Json& value) {
    int deepest = 0;
    if (value.is_structured())
        for (const auto& inner : value) deepest = std::max(deepest, depth(inner));
    return value.is_structured() ? deepest + 1 : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    std::string_view input = fuzz::text_of(data, size);
    const auto bound = int(fuzz::take_byte(input) % 32);
    const auto value = base::parse_json(input, bound);
    const auto ordered = base::parse_ordered_json(input, bound);
    require(value.ok() == ordered.ok(), "both readers agree");
    if (!value) {
        require(!value.error().message.empty(), "a refusal says why");
        return 0;
    }
    require(depth(*value) <= bound, "depth is bounded");
    const std::string text = base::dump(*value);
    const auto again = base::parse_json(text, bound);
    require(again.ok() && *again == *value && base::dump(*again) == text, "what is written reads back the same: " + text);
    require(base::Json::parse(ordered->dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace)) == *value, "both readers agree");
    return 0;
}
