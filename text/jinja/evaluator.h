// Walks the syntax tree. Work, depth and sizes are bounded, so that a hostile template ends in an error.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"

namespace text::jinja {

struct Scope {
    explicit Scope(std::shared_ptr<Scope> outer) : outer(std::move(outer)) {}
    const Value* find(std::string_view name) const;
    void set(const std::string& name, Value value);
    std::shared_ptr<Scope> outer;
    Fields names;
};
using ScopePtr = std::shared_ptr<Scope>;

class Evaluator {
public:
    explicit Evaluator(std::int64_t now) : now_(now) {}
    ~Evaluator();  // breaks cycles of scopes, macros and namespaces
    std::string render(const Body& body, const base::OrderedJson& variables);

    // Counts work: steps, and bytes of strings and lists that are made.
    void step(std::size_t amount = 1);
    Value made(std::string text, bool safe = false);
    Value call(const Value& callee, const Arguments& arguments);
    Value filter(const std::string& name, const Value& value, const Arguments& arguments);
    bool test(const std::string& name, const Value& value, const Arguments& arguments);
    Value attribute(const Value& object, const std::string& name);
    Value item(const Value& object, const Value& key);
    Values iterate(const Value& value);
    Value binary(const std::string& op, const Value& a, const Value& b);
    bool contains(const Value& container, const Value& item);
    std::int64_t now() const { return now_; }
    Value make_namespace(const Arguments& arguments);

private:
    enum class Flow { normal, break_loop, continue_loop };
    class Depth;        // of calls and loops
    class Expressions;  // of expressions, through all calls
    Value eval(const Expr& e);
    Value name(const Expr& e);
    Value binary_expression(const Expr& e);
    Value unary(const Expr& e);
    bool compare(const Expr& e);
    bool compare_one(const std::string& op, const Value& a, const Value& b);
    Value slice(const Expr& e);
    Value dict(const Expr& e);
    Arguments arguments(const Expr& e);
    Value pipe(const Expr& filter, const Value& input);  // input: what a filter chain without head works on

    Flow run(const Body& body);
    Flow run(const Stmt& s);
    Flow loop(const Stmt& s);
    Flow iterate_loop(const Stmt& s, Values items, int depth);
    Value loop_object(const Stmt& s, const Value& items, const std::shared_ptr<std::size_t>& index, int depth);
    std::string captured(const Body& body);
    void assign(const Expr& target, const Value& value);
    Value macro(const Stmt& s, const std::string& name);
    Value run_macro(const Stmt& s, const ScopePtr& home, const std::string& name, const Arguments& arguments);
    void set_extras(const Stmt& s, const std::string& name, const Arguments& arguments);
    void emit(const std::string& text);
    void globals();  // of every template

    std::int64_t now_;
    ScopePtr scope_;
    struct Output {
        std::string text;
        Charge charge;
    } out_;
    const Value* piped_ = nullptr;
    std::size_t steps_ = 0, bytes_ = 0;
    int depth_ = 0, expressions_ = 0;
    Vector<ScopePtr> captured_scopes_;
    Vector<std::shared_ptr<Namespace>> namespaces_;
};

// Methods of str and dict and list; an unknown name gives undefined.
Value method(const Value& object, const std::string& name);
bool filter_exists(std::string_view name);
bool test_exists(std::string_view name);
std::string escaped(const std::string& text);
std::string strip(const std::string& text, const std::string* characters, bool left, bool right);
std::string changed_case(const std::string& text, bool upper);
std::string folded_case(const std::string& text);   // str.casefold, of letters that fold to one letter, and ß
std::string swapped_case(const std::string& text);
std::string without_tabs(const std::string& text, std::int64_t size);  // str.expandtabs
std::string capitalized(const std::string& text);
enum class Words { of_python, of_jinja };  // where one begins: behind what is no letter; behind a blank, a hyphen or an opening bracket
std::string titled(const std::string& text, Words words);
enum class Pad { left, right, both };  // where it goes
std::string padded(const std::string& text, std::int64_t width, Pad pad, const std::string& fill);
Texts lines_of(const std::string& text, bool keep_ends);  // str.splitlines
std::size_t count_words(const std::string& text);
bool is_word(char32_t c);       // of a regular expression's \w
bool strips(char32_t c);        // what str.strip takes
bool has_space(const std::string& text);
struct WrapStyle {
    std::size_t width;         // in code points
    bool inside_words, at_hyphens;  // where else than between words it may be cut
};
Texts wrapped(const std::string& line, const WrapStyle& style);  // textwrap.wrap
std::string replaced(const std::string& text, const std::string& from, const std::string& to, std::int64_t count);
std::string pretty(Evaluator& evaluator, const Value& value);  // pprint.pformat
std::string formatted(Evaluator& evaluator, const std::string& format, const Arguments& arguments);  // the % operator
std::string with_fields(Evaluator& evaluator, const std::string& format, const Arguments& arguments);  // str.format
std::size_t length(const std::string& text);  // in code points
Texts characters(const std::string& text);
Vector<std::size_t> bounds_of(const std::string& text);  // where each code point begins, and the end

}  // namespace text::jinja
