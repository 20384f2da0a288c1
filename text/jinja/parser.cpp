#include "text/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace text::jinja {
using Kind = Expr::Kind;

namespace {

// In decimals or behind 0x, 0o or 0b; none where it does not fit.
std::optional<std::int64_t> whole_number(std::string_view text) {
    const char letter = text.size() > 2 ? char(text[1] | 32) : '\0';
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    if (base != 10) text.remove_prefix(2);
    std::int64_t out = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), out, base).ec != std::errc()) return std::nullopt;
    return out;
}

}  // namespace

const Token& Parser::peek(std::size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
bool Parser::is(std::string_view s) const { return peek().kind == Token::Kind::symbol && peek().text == s; }
bool Parser::is_name(std::string_view s) const { return peek().kind == Token::Kind::name && peek().text == s; }
bool Parser::take(std::string_view s) { return is(s) ? (++at_, true) : false; }
bool Parser::take_name(std::string_view s) { return is_name(s) ? (++at_, true) : false; }

void Parser::expect(std::string_view s) {
    if (!take(s)) fail("expected '" + std::string(s) + "'");
}

std::string Parser::expect_name() {
    if (peek().kind != Token::Kind::name) fail("expected a name");
    return tokens_[at_++].text;
}

void Parser::expect_block_end() {
    if (peek().kind != Token::Kind::block_end) fail("expected the end of the tag");
    ++at_;
}

void Parser::fail(const std::string& what) const {
    const Token& t = peek();
    throw TemplateError("template, line " + std::to_string(t.line) + ", column " + std::to_string(t.column) + ": " + what +
                        (t.text.empty() ? "" : ", found '" + t.text.substr(0, 40) + "'"));
}

void Parser::too_deep() const { fail("nesting is deeper than " + std::to_string(most_nested)); }

ExprPtr Parser::make(Kind kind, std::string text) const {
    auto e = std::make_unique<Expr>();
    e->kind = kind;
    e->text = std::move(text);
    e->line = peek().line;
    return e;
}

ExprPtr Parser::below(Expr& e, ExprPtr part) const {
    if (part) e.height = std::max(e.height, part->height + 1);
    if (e.height > most_nested) too_deep();
    return part;
}

ExprPtr Parser::join(ExprPtr e, ExprPtr left, ExprPtr right) const {
    e->parts.push_back(below(*e, std::move(left)));
    e->parts.push_back(below(*e, std::move(right)));
    return e;
}

ExprPtr Parser::expression(bool conditional) {
    const Nested nested(*this);
    ExprPtr left = disjunction();
    while (conditional && take_name("if")) {
        ExprPtr e = make(Kind::conditional);
        e->parts.push_back(below(*e, disjunction()));
        e->parts.push_back(below(*e, std::move(left)));
        e->parts.push_back(below(*e, take_name("else") ? expression() : nullptr));
        left = std::move(e);
    }
    return left;
}

ExprPtr Parser::disjunction() {
    ExprPtr left = conjunction();
    while (take_name("or")) left = join(make(Kind::binary, "or"), std::move(left), conjunction());
    return left;
}

ExprPtr Parser::conjunction() {
    ExprPtr left = negation();
    while (take_name("and")) left = join(make(Kind::binary, "and"), std::move(left), negation());
    return left;
}

ExprPtr Parser::negation() {
    const Nested nested(*this);
    if (!take_name("not")) return comparison();
    ExprPtr e = make(Kind::unary, "not");
    e->parts.push_back(below(*e, negation()));
    return e;
}

ExprPtr Parser::comparison() {
    ExprPtr left = sum();
    ExprPtr e = make(Kind::compare);
    for (;;) {
        std::string op;
        for (std::string_view s : {"==", "!=", "<=", ">=", "<", ">"})
            if (op.empty() && take(s)) op = s;
        if (op.empty() && take_name("in")) op = "in";
        if (op.empty() && is_name("not") && peek(1).kind == Token::Kind::name && peek(1).text == "in") at_ += 2, op = "not in";
        if (op.empty()) break;
        e->operators.push_back(op);
        e->parts.push_back(below(*e, sum()));
    }
    if (e->operators.empty()) return left;
    e->parts.insert(e->parts.begin(), below(*e, std::move(left)));
    return e;
}

ExprPtr Parser::sum() {
    ExprPtr left = concatenation();
    while (is("+") || is("-")) {
        ExprPtr e = make(Kind::binary, tokens_[at_++].text);
        left = join(std::move(e), std::move(left), concatenation());
    }
    return left;
}

ExprPtr Parser::concatenation() {
    ExprPtr left = product();
    while (take("~")) left = join(make(Kind::binary, "~"), std::move(left), product());
    return left;
}

ExprPtr Parser::product() {
    ExprPtr left = unary();
    while (is("*") || is("/") || is("//") || is("%")) {
        ExprPtr e = make(Kind::binary, tokens_[at_++].text);
        left = join(std::move(e), std::move(left), unary());
    }
    return left;
}

ExprPtr Parser::unary(bool filters) {
    const Nested nested(*this);
    ExprPtr e;
    if (is("-") || is("+")) {
        e = make(Kind::unary, tokens_[at_++].text);
        e->parts.push_back(below(*e, unary(false)));
    } else {
        e = primary();
    }
    e = postfix(std::move(e));
    if (filters) e = filtered(std::move(e));
    if (take("**")) e = join(make(Kind::binary, "**"), std::move(e), unary());
    return e;
}

ExprPtr Parser::primary() {
    const Token t = peek();
    ExprPtr e = make(Kind::constant);
    switch (t.kind) {
        case Token::Kind::name: {
            ++at_;
            if (t.text == "true" || t.text == "True") return e->value = true, std::move(e);
            if (t.text == "false" || t.text == "False") return e->value = false, std::move(e);
            if (t.text == "none" || t.text == "None") return e->value = nullptr, std::move(e);
            extras_.varargs |= t.text == "varargs", extras_.kwargs |= t.text == "kwargs", extras_.caller |= t.text == "caller";
            return make(Kind::name, t.text);
        }
        case Token::Kind::string: {
            std::string text;
            while (peek().kind == Token::Kind::string) text += tokens_[at_++].text;
            return e->value = Value(std::move(text)), std::move(e);
        }
        case Token::Kind::integer: {
            ++at_;
            if (const auto n = whole_number(t.text)) return e->value = *n, std::move(e);
            e = make(Kind::refused, "the whole number " + t.text.substr(0, 40) + " is too large: they end at " + std::to_string(INT64_MAX));
            return e;
        }
        case Token::Kind::real: return ++at_, e->value = std::strtod(t.text.c_str(), nullptr), std::move(e);
        default: break;
    }
    if (take("(")) {
        if (take(")")) return make(Kind::tuple);
        e = tuple();
        expect(")");
        return e;
    }
    const bool list = is("[");
    if (!list && !is("{")) fail("expected an expression");
    ++at_;
    const std::string_view close = list ? "]" : "}";
    e = make(list ? Kind::list : Kind::dict);
    while (!take(close)) {
        if (!e->parts.empty()) {
            expect(",");
            if (take(close)) break;
        }
        e->parts.push_back(below(*e, expression()));
        if (!list) {
            expect(":");
            e->parts.push_back(below(*e, expression()));
        }
    }
    return e;
}

ExprPtr Parser::postfix(ExprPtr left) {
    for (;;) {
        if (take(".")) {
            ExprPtr e;
            if (peek().kind == Token::Kind::integer) {
                e = make(Kind::item);
                ExprPtr index = primary();
                left = join(std::move(e), std::move(left), std::move(index));
                continue;
            }
            e = make(Kind::attribute, expect_name());
            e->parts.push_back(below(*e, std::move(left)));
            left = std::move(e);
        } else if (is("[")) {
            left = subscript(std::move(left));
        } else if (is("(")) {
            ExprPtr e = make(Kind::call);
            e->parts.push_back(below(*e, std::move(left)));
            arguments(*e);
            left = std::move(e);
        } else {
            return left;
        }
    }
}

ExprPtr Parser::filtered(ExprPtr left) {
    for (;;) {
        if (is("|")) {
            left = filters_of(std::move(left));
        } else if (take_name("is")) {
            left = test_of(std::move(left));
        } else if (is("(")) {
            ExprPtr e = make(Kind::call);
            e->parts.push_back(below(*e, std::move(left)));
            arguments(*e);
            left = std::move(e);
        } else {
            return left;
        }
    }
}

ExprPtr Parser::filters_of(ExprPtr left, bool bare) {
    for (; bare || take("|"); bare = false) {
        std::string name = expect_name();
        while (take(".")) name += "." + expect_name();
        if (name == "random") fail("the filter 'random' is refused: a prompt is the same whenever it is made of the same messages");
        ExprPtr e = make(Kind::filter, std::move(name));
        e->parts.push_back(below(*e, std::move(left)));
        if (is("(")) arguments(*e);
        left = std::move(e);
    }
    return left;
}

ExprPtr Parser::test_of(ExprPtr left) {
    const bool negated = take_name("not");
    ExprPtr e = make(Kind::test, expect_name());
    e->parts.push_back(below(*e, std::move(left)));
    const Token& t = peek();
    const bool word = t.kind == Token::Kind::name && t.text != "else" && t.text != "or" && t.text != "and" &&
                      t.text != "is" && t.text != "if" && t.text != "not" && t.text != "in";
    if (is("("))
        arguments(*e);
    else if (word || t.kind == Token::Kind::string || t.kind == Token::Kind::integer || t.kind == Token::Kind::real ||
             is("[") || is("{"))
        e->arguments.push_back(below(*e, postfix(primary())));
    if (!negated) return e;
    ExprPtr no = make(Kind::unary, "not");
    no->parts.push_back(below(*no, std::move(e)));
    return no;
}

ExprPtr Parser::subscript(ExprPtr left) {
    expect("[");
    ExprPtr e = make(Kind::item);
    e->parts.push_back(below(*e, std::move(left)));
    if (take("]")) return e->parts.push_back(below(*e, make(Kind::constant))), std::move(e);
    ExprPtr part = is(":") ? nullptr : expression();
    if (is(":")) {
        e->kind = Kind::slice;
        e->parts.push_back(below(*e, std::move(part)));
        while (take(":")) e->parts.push_back(below(*e, is(":") || is("]") ? nullptr : expression()));
        if (e->parts.size() > 4) fail("a slice has at most three parts");
        e->parts.resize(4);
    } else if (is(",")) {
        ExprPtr key = make(Kind::tuple);
        key->parts.push_back(below(*key, std::move(part)));
        while (take(",")) key->parts.push_back(below(*key, expression()));
        e->parts.push_back(below(*e, std::move(key)));
    } else {
        e->parts.push_back(below(*e, std::move(part)));
    }
    expect("]");
    return e;
}

void Parser::arguments(Expr& call) {
    const Nested nested(*this);
    expect("(");
    for (bool first = true; !take(")"); first = false) {
        if (!first) {
            expect(",");
            if (take(")")) break;
        }
        if (take("**")) {
            call.named_spread = below(call, expression());
        } else if (take("*")) {
            call.spread = below(call, expression());
        } else if (peek().kind == Token::Kind::name && peek(1).kind == Token::Kind::symbol && peek(1).text == "=") {
            std::string name = expect_name();
            ++at_;
            call.named.emplace_back(std::move(name), below(call, expression()));
        } else {
            if (!call.named.empty()) fail("a positional argument follows a named one");
            call.arguments.push_back(below(call, expression()));
        }
    }
}

// One expression, or several with commas between them as a tuple.
ExprPtr Parser::tuple(bool conditional) {
    ExprPtr first = expression(conditional);
    if (!is(",")) return first;
    ExprPtr e = make(Kind::tuple);
    e->parts.push_back(below(*e, std::move(first)));
    while (take(",")) {
        if (is(")") || is("=") || peek().kind == Token::Kind::block_end || peek().kind == Token::Kind::print_end) break;
        e->parts.push_back(below(*e, expression(conditional)));
    }
    return e;
}

}  // namespace text::jinja
