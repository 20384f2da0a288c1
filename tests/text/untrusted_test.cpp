// Text from outside never becomes a control token, whatever template it goes through.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/json.h"
#include "controls.h"
#include "support/fixtures.h"
#include "support/pieces.h"
#include "support/vocabularies.h"
#include "text/chat_template.h"

namespace text {
namespace {

using base::OrderedJson;

constexpr const char *before = "\u27EA", *behind = "\u27EB";  // stand around each hostile text; no template has them

// Every text that a person or tool would have written, replaced.
void poison(OrderedJson& value, const std::string& hostile, bool inside) {
    if (value.is_string() && inside) value = hostile;
    if (!value.is_object() && !value.is_array()) return;
    for (auto it = value.begin(); it != value.end(); ++it) {
        const std::string key = value.is_object() ? it.key() : "";
        const bool text = key == "content" || key == "text" || key == "description" || key == "reasoning_content" || key == "arguments" || key == "output";
        const bool structure = key == "type" || key == "role" || key == "name" || key == "id" || key == "tool_call_id";
        poison(*it, hostile, !structure && (text || inside));
    }
}

// The ids as text, in which each control token is one character that occurs nowhere else.
std::string shown(const Tokenizer& t, const std::vector<TokenId>& ids) {
    std::string out;
    for (const TokenId id : ids) out += t.is_control(id) ? "\x01" : t.bytes(id, true);
    return out;
}

TEST(Untrusted, BecomesNoControlTokenInAnyTemplate) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const auto folder = *vectors / "chat_templates";
    const auto contexts = OrderedJson::parse(support::read_text(folder / "contexts.json"))["contexts"];
    int rendered = 0, templates = 0, with_hostile = 0;
    for (const auto& row : OrderedJson::parse(support::read_text(folder / "templates.json"))) {
        const std::string source = support::read_text(folder / row.at("file").get<std::string>());
        const auto parsed = ChatTemplate::parse(source);
        ASSERT_TRUE(parsed.ok()) << row["name"];
        RenderInput input;
        if (row["bos_token"].is_string()) input.bos_token = row["bos_token"];
        if (row["eos_token"].is_string()) input.eos_token = row["eos_token"];
        auto controls = markup(source);
        for (const std::string& token : {input.bos_token, input.eos_token})
            if (!token.empty()) controls.insert(token);
        const auto tokenizer = bytes_and(controls);
        std::string hostile;
        for (const std::string& text : controls) hostile.append(before).append(text).append(behind);
        ++templates;
        for (const auto& context : contexts) {
            OrderedJson changed = context;
            poison(changed["messages"], hostile, false);
            input.messages = changed["messages"];
            input.tools = changed.value("tools", OrderedJson());
            if (!input.tools.is_null()) poison(input.tools, hostile, false);
            input.add_generation_prompt = changed.value("add_generation_prompt", true);
            const auto pieces = support::pieces_of(**parsed, input, {controls.begin(), controls.end()});
            if (!pieces) continue;  // the template refuses such a conversation
            ++rendered;
            std::string all;
            for (const Piece& piece : *pieces) all += piece.text;
            with_hostile += all.find(before) != all.npos;
            const std::string text = shown(*tokenizer, tokenizer->encode(*pieces));
            EXPECT_EQ(text.find(std::string(before) + "\x01" + behind), text.npos) << row["name"] << "\n" << text.substr(0, 2000);
        }
    }
    std::printf("%d templates, %d conversations, %d of them with hostile text\n", templates, rendered, with_hostile);
    EXPECT_GT(templates, 100);
    EXPECT_GT(with_hostile, 2000);
}

// Over real vocabularies: texts of control tokens, whole and in pieces, in any order.
TEST(Untrusted, BecomesNoControlTokenOfRealVocabularies) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    for (const char* name : {"qwen3", "llama3_1", "gemma3", "deepseek_v3", "gptoss", "mistral7b_v0_1"}) {
        const auto t = Tokenizer::create(support::read_hf_vocabulary(*vectors / "tokenizers/hf_tokenizer_json" / (std::string(name) + ".tokenizer.json.xz"))).value();
        std::vector<std::string> controls;
        for (TokenId id = 0; id < t->size(); ++id)
            if (t->is_control(id)) controls.push_back(t->bytes(id, true));
        ASSERT_GE(controls.size(), 3u) << name;
        std::mt19937 random(5);
        for (int round = 0; round < 2000; ++round) {
            std::vector<Piece> pieces;
            std::string all;
            for (unsigned n = 1 + random() % 5; n; --n) {
                std::string text;
                for (unsigned k = 1 + random() % 4; k; --k) {
                    const std::string& control = controls[random() % controls.size()];
                    const std::size_t cut = random() % (control.size() + 1);
                    text += random() % 3 ? control : random() % 2 ? control.substr(0, cut) : control.substr(cut);
                    if (random() % 3 == 0) text += " a\n";
                }
                all += text;
                pieces.push_back({text, false});
            }
            const auto ids = t->encode(pieces);
            for (const TokenId id : ids) ASSERT_FALSE(t->is_control(id) && id != t->vocabulary().unknown) << name << " " << all;
            for (const TokenId id : t->encode(all, false)) ASSERT_FALSE(t->is_control(id) && id != t->vocabulary().unknown) << name << " " << all;
        }
    }
}

}  // namespace
}  // namespace text
