// Tokens to syntax tree: expressions by precedence, statements by keyword.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace text::jinja {

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
    Body run();

private:
    static constexpr int most_nested = 150;
    class Nested {  // bounds recursion
    public:
        explicit Nested(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > most_nested) parser_.too_deep();
        }
        ~Nested() { --parser_.depth_; }

    private:
        Parser& parser_;
    };
    const Token& peek(std::size_t ahead = 0) const;
    bool is(std::string_view symbol) const;
    bool is_name(std::string_view name) const;
    bool take(std::string_view symbol);
    bool take_name(std::string_view name);
    void expect(std::string_view symbol);
    std::string expect_name();
    void expect_block_end();
    [[noreturn]] void fail(const std::string& what) const;
    [[noreturn]] void too_deep() const;
    ExprPtr make(Expr::Kind kind, std::string text = {}) const;
    // `part` (which may be null) comes to stand below `e`: every child goes through here, so that a chain, which nests in the
    // tree and not in the text, is bounded too.
    ExprPtr below(Expr& e, ExprPtr part) const;
    ExprPtr join(ExprPtr e, ExprPtr left, ExprPtr right) const;

    ExprPtr expression(bool conditional = true);
    ExprPtr disjunction();
    ExprPtr conjunction();
    ExprPtr negation();
    ExprPtr comparison();
    ExprPtr sum();
    ExprPtr concatenation();
    ExprPtr product();
    ExprPtr unary(bool filters = true);
    ExprPtr primary();
    ExprPtr postfix(ExprPtr left);
    ExprPtr filtered(ExprPtr left);
    ExprPtr filters_of(ExprPtr left, bool bare = false);  // bare: the first has no bar before it
    ExprPtr subscript(ExprPtr left);
    ExprPtr test_of(ExprPtr left);
    ExprPtr tuple(bool conditional = true);
    void arguments(Expr& call);
    ExprPtr target();

    Body body(std::initializer_list<std::string_view> ends);
    void statement(Body& out);
    std::unique_ptr<Stmt> set_statement();
    std::unique_ptr<Stmt> if_statement();
    std::unique_ptr<Stmt> for_statement();
    std::unique_ptr<Stmt> macro_statement();
    std::unique_ptr<Stmt> call_statement();
    std::unique_ptr<Stmt> with_statement();
    void macro_body(Stmt& macro, std::string_view end);
    std::vector<Parameter> parameters();
    std::unique_ptr<Stmt> new_statement(Stmt::Kind kind) const;

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0, loops_ = 0;
    Stmt::Extras extras_;  // that the macro under way has named
};

}  // namespace text::jinja
