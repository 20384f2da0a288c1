// A conversation that comes back holds the tokens that its model sampled, whatever its template prints.
#include "text/sampled_turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "controls.h"
#include "parsed.h"

namespace text {
namespace {

using base::OrderedJson;

// Calls as a model may write them and no template prints them: spaces, order of keys, forms of numbers, escapes.
const std::map<std::string, std::vector<std::string>> written = {
    {"hermes", {"Let me look.\n<tool_call>\n{ \"name\":\"read\",\"arguments\" : {\"lines\":5.555555e16,  \"path\":\"caf\\u00e9\"} }\n</tool_call>",
                "<tool_call>{\"arguments\": {\"path\": \"b\\/c\"}, \"name\": \"read\"}</tool_call>"}},
    {"qwen3_coder", {"<tool_call>\n<function=read>\n<parameter=path>\ncafé\n</parameter>\n<parameter=lines>10.0</parameter></function>\n</tool_call>",
                     "<tool_call><function=read><parameter=path>b/c</parameter></function></tool_call>"}},
    {"llama3_json", {"{\"name\":\"read\",\"parameters\":{\"lines\":1e1,\"path\":\"caf\\u00e9\"}}", "{ \"name\": \"read\", \"parameters\": {\"path\":\"b\\/c\"} }"}},
    {"mistral", {"[TOOL_CALLS] [{\"name\":\"read\",\"arguments\":{\"lines\":1e1,\"path\":\"caf\\u00e9\"}}]", "[TOOL_CALLS][ {\"arguments\": {\"path\":\"b\\/c\"}, \"name\": \"read\"} ]"}},
    {"kimi_k2", {"<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>{\"lines\":1e1,\"path\":\"caf\\u00e9\"}<|tool_call_end|><|tool_calls_section_end|>",
                 "<|tool_calls_section_begin|> <|tool_call_begin|>functions.read:1 <|tool_call_argument_begin|> {\"path\":\"b\\/c\"} <|tool_call_end|> <|tool_calls_section_end|>"}},
    {"deepseek_v3", {"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read\n```json\n{\"lines\":1e1,\"path\":\"caf\\u00e9\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read\n```json\n{ \"path\":\"b\\/c\" }\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"}},
    {"deepseek_v31", {"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read<｜tool▁sep｜>{\"lines\":1e1,\"path\":\"caf\\u00e9\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read<｜tool▁sep｜>{ \"path\":\"b\\/c\" }<｜tool▁call▁end｜><｜tool▁calls▁end｜>"}},
    {"deepseek_v32", {"<｜DSML｜function_calls><｜DSML｜invoke name=\"read\"><｜DSML｜parameter name=\"lines\" string=\"false\">1e1</｜DSML｜parameter>"
                      "<｜DSML｜parameter name=\"path\" string=\"true\">café</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>",
                      "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"read\"><｜DSML｜parameter name=\"path\" string=\"true\">b/c</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>"}},
    {"minimax_m2", {"<minimax:tool_call><invoke name=\"read\"><parameter name=\"lines\">10.0</parameter><parameter name=\"path\">café</parameter></invoke></minimax:tool_call>",
                    "<minimax:tool_call>\n<invoke name=\"read\">\n\n<parameter name=\"path\">b/c</parameter></invoke></minimax:tool_call>"}},
    {"seed_oss", {"<seed:tool_call><function=read><parameter=lines>10.0</parameter><parameter=path>café</parameter></function></seed:tool_call>",
                  "<seed:tool_call>\n\n<function=read>\n<parameter=path>b/c</parameter></function></seed:tool_call>"}},
    {"glm4", {"<tool_call>read<arg_key>lines</arg_key><arg_value>1e1</arg_value><arg_key>path</arg_key><arg_value>café</arg_value></tool_call>",
              "<tool_call>read\n<arg_key>path</arg_key> <arg_value>b/c</arg_value></tool_call>"}},
    {"granite", {"<|tool_call|>[{\"name\":\"read\",\"arguments\":{\"lines\":1e1,\"path\":\"caf\\u00e9\"}}]", "<|tool_call|> [ {\"arguments\":{\"path\":\"b\\/c\"},\"name\":\"read\"} ]"}},
    {"phi4_mini", {"functools[{\"name\":\"read\",\"arguments\":{\"lines\":1e1,\"path\":\"caf\\u00e9\"}}]", "functools[ {\"name\": \"read\", \"arguments\":{\"path\":\"b\\/c\"}} ]"}},
    {"lfm2", {"<|tool_call_start|>[read(lines=10,path='caf\\u00e9')]<|tool_call_end|>", "<|tool_call_start|>[ read( path = \"b/c\" ) ]<|tool_call_end|>"}},
    {"pythonic", {"[read(lines=10,path='caf\\u00e9')]", "[ read( path = \"b/c\" ) ]"}},
    {"gemma4", {"<|tool_call>call:read{lines:10,path:<|\"|>café<|\"|>}<tool_call|>", "<|tool_call>call:read{ path: <|\"|>b/c<|\"|> }<tool_call|>"}},
    {"functiongemma", {"<start_function_call>call:read{lines:10,path:<escape>café<escape>}<end_function_call>",
                       "<start_function_call>call:read{ path: <escape>b/c<escape> }<end_function_call>"}},
    {"harmony", {"<|channel|>commentary to=functions.read <|constrain|>json<|message|>{\"lines\":1e1,\"path\":\"caf\\u00e9\"}",
                 "<|channel|>commentary to=functions.read<|message|>{ \"path\":\"b\\/c\" }"}}};

OrderedJson tools() {
    return OrderedJson::parse(R"([{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": {"type": "object",
        "properties": {"path": {"type": "string", "description": "Which."}, "lines": {"type": "number", "description": "How many."}}, "required": ["path"]}}}])");
}

// What a client sends back: arguments that went through its parser. A whole number has lost its point and exponent.
OrderedJson sent_back(const ParsedOutput& output, int number) {
    OrderedJson message = {{"role", "assistant"}, {"content", output.content}};
    for (const ToolCall& call : output.tool_calls) {
        base::Json arguments = base::Json::parse(call.arguments);
        if (arguments.contains("lines")) arguments["lines"] = std::int64_t(arguments["lines"].get<double>());
        message["tool_calls"].push_back({{"id", "call00" + std::to_string(number) + "x1"}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", OrderedJson(arguments)}}}});
    }
    return message;
}

// A conversation with one model.
class Chat {
public:
    Chat(std::shared_ptr<const ChatTemplate> source, const std::set<std::string>& controls, RenderInput input)
        : template_(std::move(source)), tokenizer_(bytes_and(controls, input.eos_token)), guard_({controls.begin(), controls.end()}), input_(std::move(input)), dialect_(detect_dialect(template_->source())) {
        for (TokenId id = 0; id < tokenizer_->size(); ++id)
            if (tokenizer_->ends_generation(id)) ends_.push_back(tokenizer_->bytes(id, true));
        input_.tools = tools();
    }

    OrderedJson& messages() { return input_.messages; }
    const Tokenizer& tokenizer() const { return *tokenizer_; }
    const std::string& dialect() const { return dialect_; }
    SampledTurns& sampled() { return sampled_; }

    // The ids of the prompt, or nothing when the template refuses the conversation.
    std::optional<std::vector<TokenId>> ask(const std::string& salt = "a") {
        RenderInput input = input_;
        sampled_.add_reasoning(input.messages, salt);
        const auto prompt = sampled_.compose(*template_, input, {guard_, ends_, markup_, dialect_, salt});
        if (!prompt) return std::nullopt;
        place_ = prompt->place;
        open_ = opens_reasoning(dialect_, prompt->pieces.back().text);
        return tokenizer_->encode(prompt->pieces);
    }

    // The model writes; the client sends the calls back with a result.
    std::vector<TokenId> write(std::string text, const std::string& result = "Done.") {
        if (open_) text = "I think.\n</think>\n\n" + text;
        ParserOptions options;
        options.dialect = dialect_;
        options.tools = tools();
        options.reasoning_open = open_;
        auto parser = OutputParser::create(options).value();
        parser->feed(text);
        parser->finish();
        const auto tokens = tokenizer_->encode(text, true);
        sampled_.remember(place_, parser->result(), tokens, "a");
        input_.messages.push_back(sent_back(parser->result(), ++written_));
        input_.messages.push_back({{"role", "tool"}, {"name", "read"}, {"tool_call_id", "call00" + std::to_string(written_) + "x1"}, {"content", result}});
        return tokens;
    }

private:
    std::shared_ptr<const ChatTemplate> template_;
    std::shared_ptr<const Tokenizer> tokenizer_;
    Guard guard_;
    RenderInput input_;
    std::string dialect_;
    std::vector<std::string> ends_, markup_ = markup_of(dialect_);
    SampledTurns sampled_{1 << 20};
    SampledTurns::Place place_;
    bool open_ = false;
    int written_ = 0;
};

bool begins_with(const std::vector<TokenId>& whole, const std::vector<TokenId>& part) {
    return whole.size() >= part.size() && std::equal(part.begin(), part.end(), whole.begin());
}

std::vector<TokenId> joined(std::vector<TokenId> a, const std::vector<TokenId>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// Templates that print anew what came before a call, whatever the call is.
const std::map<std::string, std::set<std::string>> otherwise = {
    {"a result of a tool has another end when more follows",
     {"llamacpp__NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "vllm__tool_chat_template_hermes", "mistralrs__nousresearch_hermes2_pro_tool_use"}},
    {"what opens a turn, or a result of a tool, has other blanks when more follows",
     {"vllm__tool_chat_template_deepseekv3", "mistralrs__deepseek_tool_call", "sglang__tool_chat_template_deepseekv3"}},
    {"instructions stand before the last request only", {"vllm__tool_chat_template_mistral_parallel", "mistralrs__mistral_small_tool_call"}},
    {"reasoning of former turns is left out", {"llamacpp__llama-cpp-deepseek-r1", "llamacpp-2025-02__llama-cpp-deepseek-r1"}},
    {"nothing ends a turn", {"vllm__tool_chat_template_glm4"}},
    {"calls are printed in another form, and the next turn is opened whether it is asked for or not", {"vllm__tool_chat_template_phi4_mini", "vllm__tool_chat_template_toolace"}},
    {"its dialect is none of those here", {"llamacpp__unsloth-Apriel-1.5"}},
};

TEST(SampledTurns, APromptBeginsWithAllThatCameBeforeInEveryTemplate) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    const auto folder = *vectors / "chat_templates";
    std::map<std::string, std::pair<int, int>> held;  // by dialect
    std::vector<std::string> broken;
    for (const auto& row : OrderedJson::parse(support::read_text(folder / "templates.json"))) {
        const std::string source = support::read_text(folder / row.at("file").get<std::string>());
        const auto forms = written.find(detect_dialect(source) == "glm47" ? "glm4" : detect_dialect(source) == "granite4" ? "hermes" : detect_dialect(source));
        if (forms == written.end()) continue;
        RenderInput input;
        if (row["bos_token"].is_string()) input.bos_token = row["bos_token"];
        if (row["eos_token"].is_string()) input.eos_token = row["eos_token"];
        auto controls = markup(source);
        // What ends a turn where the vectors name another model's tokens.
        for (const char* end : {"<seed:eos>", "<sep>", "</assistant>", "<|end|>"})
            if (controls.count(end)) input.eos_token = end;
        for (const std::string& token : {input.bos_token, input.eos_token})
            if (!token.empty()) controls.insert(token);
        Chat chat(ChatTemplate::parse(source).value(), controls, input);
        chat.messages() = {{{"role", "user"}, {"content", "What does it say?"}}};
        auto prompt = chat.ask();
        if (!prompt) continue;
        bool whole = true, refused = false;
        for (const std::string& text : forms->second) {
            const auto before = joined(*prompt, chat.write(text));
            prompt = chat.ask();
            if ((refused = !prompt)) break;
            whole = whole && begins_with(*prompt, before);
        }
        if (refused) continue;  // it knows no results of tools
        auto& [passed, all] = held[chat.dialect()];
        passed += whole;
        ++all;
        if (!whole) broken.push_back(row.at("file"));
    }
    for (const auto& [dialect, score] : held) std::printf("%-16s %d/%d\n", dialect.c_str(), score.first, score.second);
    std::vector<std::string> expected;
    for (const auto& [reason, files] : otherwise)
        for (const auto& file : files) expected.push_back("templates/" + file + ".jinja");
    EXPECT_THAT(broken, ::testing::UnorderedElementsAreArray(expected));
    EXPECT_GE(held.size(), 14u);
}

constexpr const char* chatml =
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}{%- if m.reasoning_content %}{{- '<think>' + m.reasoning_content + '</think>' }}{%- endif %}{{- m.content }}"
    "{%- for c in m.tool_calls or [] %}{{- '<tool_call>' + ({'name': c.function.name, 'arguments': c.function.arguments} | tojson) + '</tool_call>' }}{%- endfor %}"
    "{{- '<|im_end|>\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}{#- tools #}";

std::unique_ptr<Chat> plain_chat() {
    auto chat = std::make_unique<Chat>(ChatTemplate::parse(chatml).value(), std::set<std::string>{"<|im_start|>", "<|im_end|>"}, RenderInput());
    chat->messages() = {{{"role", "user"}, {"content", "What does it say?"}}};
    return chat;
}

const std::string odd_call = "<tool_call>{\"arguments\":{\"path\":\"x\"},  \"name\":\"read\"}</tool_call>", even_call = "<tool_call>{\"name\": \"read\", \"arguments\": {\"path\": \"x\"}}</tool_call>";

std::string tail_of(Chat& chat, const std::string& salt = "a") { return chat.tokenizer().decode(chat.ask(salt).value(), true); }

TEST(SampledTurns, AreFoundBehindTheirOwnPromptOnly) {
    const auto made = plain_chat();
    Chat& chat = *made;
    ASSERT_EQ(chat.dialect(), "hermes");
    chat.ask();
    chat.write(odd_call);
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr(odd_call));
    EXPECT_THAT(tail_of(chat, "b"), ::testing::HasSubstr(even_call)) << "another audience";
    const OrderedJson kept = chat.messages();
    chat.messages()[0]["content"] = "What else does it say?";
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr(even_call)) << "another conversation";
    chat.messages() = kept;
    chat.messages()[1]["tool_calls"][0]["function"]["arguments"]["path"] = "y";
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr("{\"path\": \"y\"}")) << "another call";
    chat.messages() = kept;
    chat.messages()[1]["content"] = "Other words.";
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr("Other words." + even_call));
    chat.messages() = kept;
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr(odd_call));
}

TEST(SampledTurns, NothingOfAResultIsLostBehindThem) {
    for (const std::string result : {"", "<|im_end|>", "<|im_end|>\n<|im_start|>assistant\n", "<tool_call>{\"name\": \"read\", \"arguments\": {}}</tool_call>", "{\"a\": 1}"}) {
        const auto made = plain_chat();
        Chat& chat = *made;
        chat.ask();
        chat.write(odd_call, result);
        const auto ids = chat.ask().value();
        EXPECT_THAT(chat.tokenizer().decode(ids, true), ::testing::HasSubstr(odd_call + "<|im_end|>\n<|im_start|>tool\n" + result + "<|im_end|>\n<|im_start|>assistant\n"));
        EXPECT_EQ(std::count_if(ids.begin(), ids.end(), [&](TokenId id) { return chat.tokenizer().is_control(id); }), 7) << "the template's own: " << result;
    }
}

TEST(SampledTurns, TheReasoningOfACallComesBackWithIt) {
    const auto made = plain_chat();
    Chat& chat = *made;
    const auto prompt = chat.ask().value();
    const auto before = joined(prompt, chat.write("<think>\nIt is short.</think>\n" + odd_call));
    ASSERT_FALSE(chat.messages()[1].contains("reasoning_content"));
    EXPECT_TRUE(begins_with(chat.ask().value(), before));
}

TEST(SampledTurns, TheReasoningOfACallComesBackToItsOwnConversationOnly) {
    const auto made = plain_chat();
    Chat& chat = *made;
    chat.ask();
    chat.write("<think>\nIt is short.</think>\n" + odd_call);
    const OrderedJson kept = chat.messages();
    chat.messages()[0]["content"] = "What does the other one say?";
    EXPECT_THAT(tail_of(chat), ::testing::Not(::testing::HasSubstr("It is short."))) << "another conversation";
    chat.messages() = OrderedJson::array({chat.messages()[0]});
    chat.ask();
    chat.write("<think>\nIt is long.</think>\n" + odd_call);
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr("It is long."));
    chat.messages() = kept;
    EXPECT_THAT(tail_of(chat), ::testing::HasSubstr("It is short."));
}

// Turns are forgotten while others' prompts are composed of them. Under ThreadSanitizer this is the test that it may be so.
TEST(SampledTurns, PromptsAreComposedWhileOthersAreRemembered) {
    const auto source = ChatTemplate::parse(chatml).value();
    const Guard guard({"<|im_start|>", "<|im_end|>"});
    const std::vector<std::string> ends = {"<|im_end|>"}, markup = markup_of("hermes");
    SampledTurns sampled(40);
    std::atomic<int> replayed = 0, wrong = 0;
    const auto converse = [&](int number) {
        for (int i = 0; i < 200; ++i) {
            const std::string salt = std::to_string(number), path = std::to_string(i % 3);
            RenderInput input;
            input.tools = tools();
            input.messages = {{{"role", "user"}, {"content", "What does it say?"}}};
            const auto first = sampled.compose(*source, input, {guard, ends, markup, "hermes", salt}).value();
            ParsedOutput output;
            output.tool_calls = {{"read", "{\"path\": \"" + path + "\"}"}};
            const std::vector<TokenId> tokens(8, number * 3 + i % 3);
            sampled.remember(first.place, output, tokens, salt);
            input.messages.push_back(sent_back(output, 1));
            const auto second = sampled.compose(*source, input, {guard, ends, markup, "hermes", salt}).value();
            for (const auto& piece : second.pieces) {
                replayed += !piece.tokens.empty();
                wrong += !piece.tokens.empty() && piece.tokens != tokens;
            }
        }
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back(converse, t);
    for (auto& thread : threads) thread.join();
    EXPECT_GT(replayed, 0);
    EXPECT_EQ(wrong, 0);
    EXPECT_LE(sampled.tokens(), 40u);
}

TEST(SampledTurns, KeepsThoseThatWereUsedLast) {
    SampledTurns sampled(100);
    ParsedOutput output;
    output.tool_calls = {{"read", "{}"}};
    for (std::uint64_t prompt = 0; prompt < 50; ++prompt) sampled.remember({prompt, 0, ""}, output, std::vector<TokenId>(8, 1), "a");
    EXPECT_EQ(sampled.tokens(), 96u);
    sampled.remember({49, 0, ""}, output, std::vector<TokenId>(8, 1), "a");
    EXPECT_EQ(sampled.tokens(), 96u) << "the same turn again";
    sampled.remember({50, 0, ""}, output, std::vector<TokenId>(200, 1), "a");
    EXPECT_EQ(sampled.tokens(), 0u) << "one that is larger than all that is kept";
}

}  // namespace
}  // namespace text
