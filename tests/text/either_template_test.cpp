#include "text/either_template.h"

#include <gtest/gtest.h>

#include "text/chat_template.h"
#include "text/output_parser.h"

namespace {

using base::OrderedJson;

std::string render(const std::string& source, const OrderedJson& tools) { return text::ChatTemplate::parse(source).value()->render({{"tools", tools}}, 0).value(); }

TEST(EitherTemplate, ARequestWithToolsTakesTheTemplateForThem) {
    const std::string plain = "\n  {% if 1 %}plain{% endif %} \n", with_tools = "\n{%- if 1 %}tools{% endif %}\n\n  ", both = text::either_template(plain, with_tools);
    const OrderedJson tools = OrderedJson::array({{{"type", "function"}}});
    EXPECT_EQ(render(both, nullptr), "\nplain ");
    EXPECT_EQ(render(both, nullptr), render(plain, nullptr));
    EXPECT_EQ(render(both, tools), "tools\n  ");
    EXPECT_EQ(render(both, tools), render(with_tools, tools));
    EXPECT_EQ(text::ChatTemplate::parse(both).value()->render(OrderedJson::object(), 0).value(), "\nplain ");
    EXPECT_EQ(text::detect_dialect(text::either_template("plain", "tools <|python_tag|>")), "llama3_json");
}

TEST(RefusingTemplate, SaysItsWordsWhateverTheyAre) {
    for (const std::string why : {"no template", "it's \"quoted\", \\n and }} %} {{ x }}", "two\nlines, é"}) {
        const auto refused = text::ChatTemplate::parse(text::refusing_template(why)).value()->render(OrderedJson::object(), 0);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().message, why);
    }
}

}  // namespace
