// The syntax tree of a template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace text::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
    enum class Kind {
        constant, name, list, tuple, dict,  // dict: keys and values alternate in `parts`
        attribute,                          // parts[0].text
        item,                               // parts[0][parts[1]]
        slice,                              // parts[0][parts[1]:parts[2]:parts[3]], absent parts null
        call,                               // parts[0](arguments)
        filter, test,                       // text names it, parts[0] (null: a filter block's body)
        unary, binary,                      // text is the operator
        compare,                            // parts[0] operators[0] parts[1] operators[1] …
        conditional,                        // parts: condition, then, else (may be null)
        refused,                            // text: the error of whoever evaluates it, since it may stand where no one does
    } kind = Kind::constant;
    std::string text;
    Value value;
    std::vector<ExprPtr> parts;
    std::vector<std::string> operators;
    std::vector<ExprPtr> arguments;
    std::vector<std::pair<std::string, ExprPtr>> named;
    ExprPtr spread, named_spread;  // *args, **kwargs
    int line = 0;
    int height = 1;  // of the tree below: the parser bounds it, for whoever walks or destroys it
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct Parameter {
    std::string name;
    ExprPtr otherwise;  // may be null
};

struct Stmt {
    enum class Kind { text, print, set, set_block, branch, loop, macro, call, filter, with, scope, break_loop, continue_loop } kind;
    std::string text;      // literal text; the macro's name
    ExprPtr target;        // set, loop
    ExprPtr value;         // print, set, iterated value, called expression, filter (of a block)
    ExprPtr condition;     // loop … if
    bool recursive = false;
    struct Extras {  // what a body names of what its caller may give beyond the parameters
        bool varargs = false, kwargs = false, caller = false;
    } extras;        // macro, call
    std::vector<std::pair<ExprPtr, Body>> branches;  // if, elif; with: names and values
    std::vector<Parameter> parameters;               // macro, call
    Body body, otherwise;
    int line = 0;
};

Body parse(std::string_view source);  // throws TemplateError with line and column

}  // namespace text::jinja
