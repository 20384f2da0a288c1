// A reply in which nothing loads by itself, for when text from outside may have had a hand in it: an image of an address, or a tag, that
// whoever shows the reply would fetch carries away what the address holds. In Markdown, an image becomes a link by a backslash in front, and
// the < of a tag an entity; links and code stay as they are. Syntax: CommonMark 0.31, and GFM's tables. Where it is not certain that a
// renderer sees code, it is taken for none.
#pragma once

#include <string>
#include <string_view>

namespace agents::reply {

class Inert {
public:
    // What may be shown now; held back is what is not decided yet, at most a line of code or an address.
    std::string take(std::string_view piece);
    std::string finish();

private:
    std::string all(bool over);
    std::string_view ahead() const;
    bool step(bool over, std::string& out);
    bool in_fence(bool over, std::string& out);
    bool opens_fence(bool over, std::string& out);
    bool span(bool over, std::string& out);
    bool tag(bool over, std::string& out);
    void emit(std::size_t bytes, std::string& out);
    void drop(std::size_t bytes);

    std::string pending_;
    std::size_t at_ = 0;        // what is before it is out
    bool line_begins_ = true;   // nothing of the line is out
    bool behind_word_ = false;  // as < stands in vector<int>
    bool blank_line_ = true;    // so far
    bool open_span_ = false;    // of the paragraph: backticks that may be closed in a later line
    bool distrusted_ = false;   // what looks like code in the rest of the line may be none: it has a sign of a formula or a table, or such backticks
    bool in_address_ = false;   // the word may be one that a renderer makes a link of
    bool fences_hold_ = true;   // so far; not behind one in a list, whose end depends on the list's, nor behind a formula of several lines
    std::size_t fence_ = 0;     // marks of the one that is open; 0: none is
    char mark_ = 0;
    bool rest_of_line_ = false; // of an open fence
};

std::string inert(std::string_view text);

}  // namespace agents::reply
