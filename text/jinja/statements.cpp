// Statements of the parser.
#include <algorithm>

#include "text/jinja/parser.h"

namespace text::jinja {

Body parse(std::string_view source) { return Parser(tokenize(source)).run(); }

Body Parser::run() {
    Body out = body({});
    if (peek().kind != Token::Kind::end) fail("unexpected end tag");
    return out;
}

std::unique_ptr<Stmt> Parser::new_statement(Stmt::Kind kind) const {
    auto s = std::make_unique<Stmt>();
    s->kind = kind;
    s->line = peek().line;
    return s;
}

// Statements up to a tag that begins with one of `ends`; that name is the next token then.
Body Parser::body(std::initializer_list<std::string_view> ends) {
    const Nested nested(*this);
    Body out;
    while (peek().kind != Token::Kind::end) {
        const Token& t = peek();
        if (t.kind == Token::Kind::text) {
            out.push_back(new_statement(Stmt::Kind::text));
            out.back()->text = tokens_[at_++].text;
        } else if (t.kind == Token::Kind::print_begin) {
            ++at_;
            out.push_back(new_statement(Stmt::Kind::print));
            out.back()->value = tuple();
            if (peek().kind != Token::Kind::print_end) fail("expected '}}'");
            ++at_;
        } else {
            ++at_;
            if (std::find(ends.begin(), ends.end(), peek().text) != ends.end()) return out;
            statement(out);
        }
    }
    if (ends.size()) fail("missing '" + std::string(*(ends.end() - 1)) + "'");
    return out;
}

void Parser::statement(Body& out) {
    const std::string keyword = expect_name();
    if (keyword == "set") return out.push_back(set_statement());
    if (keyword == "if") return out.push_back(if_statement());
    if (keyword == "for") return out.push_back(for_statement());
    if (keyword == "macro") return out.push_back(macro_statement());
    if (keyword == "call") return out.push_back(call_statement());
    if (keyword == "with") return out.push_back(with_statement());
    if (keyword == "break" || keyword == "continue") {
        if (!loops_) fail("'" + keyword + "' outside a loop");
        out.push_back(new_statement(keyword == "break" ? Stmt::Kind::break_loop : Stmt::Kind::continue_loop));
        return expect_block_end();
    }
    if (keyword == "generation") {
        auto s = new_statement(Stmt::Kind::scope);
        expect_block_end();
        s->body = body({"endgeneration"});
        ++at_;
        expect_block_end();
        return out.push_back(std::move(s));
    }
    if (keyword == "filter") {
        auto s = new_statement(Stmt::Kind::filter);
        s->value = filters_of(nullptr, true);
        expect_block_end();
        s->body = body({"endfilter"});
        ++at_;
        expect_block_end();
        return out.push_back(std::move(s));
    }
    --at_;
    for (const char* of_others : {"include", "import", "from", "extends", "block"})
        if (keyword == of_others) fail("the tag '" + keyword + "' is refused: a chat template stands alone, there is no other that it could take from or be taken from");
    fail("unknown tag");
}

ExprPtr Parser::target() {
    const Nested nested(*this);
    const auto one = [&]() -> ExprPtr {
        if (take("(")) {
            ExprPtr inner = target();
            expect(")");
            return inner;
        }
        ExprPtr e = make(Expr::Kind::name, expect_name());
        if (!take(".")) return e;
        ExprPtr field = make(Expr::Kind::attribute, expect_name());
        field->parts.push_back(below(*field, std::move(e)));
        return field;
    };
    ExprPtr first = one();
    if (!is(",")) return first;
    ExprPtr e = make(Expr::Kind::tuple);
    e->parts.push_back(below(*e, std::move(first)));
    while (take(",") && !is("=") && !is_name("in")) e->parts.push_back(below(*e, one()));
    return e;
}

std::unique_ptr<Stmt> Parser::set_statement() {
    auto s = new_statement(Stmt::Kind::set);
    s->target = target();
    if (take("=")) {
        s->value = tuple();
        expect_block_end();
        return s;
    }
    s->kind = Stmt::Kind::set_block;
    if (is("|")) s->value = filters_of(nullptr);
    expect_block_end();
    s->body = body({"endset"});
    ++at_;
    expect_block_end();
    return s;
}

std::unique_ptr<Stmt> Parser::if_statement() {
    auto s = new_statement(Stmt::Kind::branch);
    for (;;) {
        ExprPtr condition = tuple(false);
        expect_block_end();
        s->branches.emplace_back(std::move(condition), body({"elif", "else", "endif"}));
        if (take_name("elif")) continue;
        if (take_name("else")) {
            expect_block_end();
            s->otherwise = body({"endif"});
        }
        ++at_;
        expect_block_end();
        return s;
    }
}

std::unique_ptr<Stmt> Parser::for_statement() {
    auto s = new_statement(Stmt::Kind::loop);
    s->target = target();
    if (!take_name("in")) fail("expected 'in'");
    s->value = tuple(false);
    if (take_name("if")) s->condition = expression();
    s->recursive = take_name("recursive");
    expect_block_end();
    ++loops_;
    s->body = body({"else", "endfor"});
    --loops_;
    if (take_name("else")) {
        expect_block_end();
        s->otherwise = body({"endfor"});
    }
    ++at_;
    expect_block_end();
    return s;
}

std::vector<Parameter> Parser::parameters() {
    std::vector<Parameter> out;
    expect("(");
    while (!take(")")) {
        if (!out.empty()) {
            expect(",");
            if (take(")")) break;
        }
        Parameter p;
        p.name = expect_name();
        if (take("=")) p.otherwise = expression();
        else if (!out.empty() && out.back().otherwise) fail("a parameter without a default follows one that has it");
        out.push_back(std::move(p));
    }
    return out;
}

// A macro inside of another names for both.
void Parser::macro_body(Stmt& macro, std::string_view end) {
    const Stmt::Extras outer = std::exchange(extras_, {});
    const int loops = std::exchange(loops_, 0);
    macro.body = body({end});
    loops_ = loops;
    macro.extras = extras_;
    extras_.varargs |= outer.varargs, extras_.kwargs |= outer.kwargs, extras_.caller |= outer.caller;
    ++at_;
}

std::unique_ptr<Stmt> Parser::macro_statement() {
    auto s = new_statement(Stmt::Kind::macro);
    s->text = expect_name();
    s->parameters = parameters();
    expect_block_end();
    macro_body(*s, "endmacro");
    if (peek().kind == Token::Kind::name) ++at_;
    expect_block_end();
    return s;
}

std::unique_ptr<Stmt> Parser::call_statement() {
    auto s = new_statement(Stmt::Kind::call);
    if (is("(")) s->parameters = parameters();
    s->value = expression();
    if (s->value->kind != Expr::Kind::call) fail("a call block needs a call");
    expect_block_end();
    macro_body(*s, "endcall");
    expect_block_end();
    return s;
}

std::unique_ptr<Stmt> Parser::with_statement() {
    auto s = new_statement(Stmt::Kind::with);
    while (peek().kind != Token::Kind::block_end) {
        if (!s->parameters.empty()) expect(",");
        Parameter p;
        p.name = expect_name();
        expect("=");
        p.otherwise = expression();
        s->parameters.push_back(std::move(p));
    }
    expect_block_end();
    s->body = body({"endwith"});
    ++at_;
    expect_block_end();
    return s;
}

}  // namespace text::jinja
