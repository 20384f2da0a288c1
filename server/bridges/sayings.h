// What people read that no model has written, in the languages that it is said in. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/language.h"

namespace server::bridges {

using base::Language;
using base::language_of;

enum class Saying {
    start,
    pairing,            // {0}: the code
    welcome,            // {0}: the person's name
    help,               // {0}: the person's name
    nothing_to_stop,
    stopped,            // {0}: what
    still_ending,       // {0}: what
    no_words,         // {0}: what came
    kept_unread,        // {0}: what came, {1}: its id; why nobody reads it comes behind
    not_kept,           // {0}: what came, {1}: why
    file_locked,        // {0}: the file; as of the following
    file_wordless,
    file_damaged,
    file_too_much,
    file_no_reader,
    file_cut,
    refused,            // {0}: why
    edited_at_work,     // {0}: the question
    edited_answered,    // {0}: the question
    may_i,
    until,              // {0}: when, {1}: the code
    allow_once,         // a label: at most 20 characters
    deny,               // the same
    wrong_code,         // {0}: the code
    many_codes,         // {0}: seconds
    link,               // {0}: the address, which signs in whoever opens it
    link_before_others,
    link_unreachable,
    link_for_guests,
    allowed,
    denied,
    expired,
    not_asked_any_more,
    no_word,
    not_whole,
    may_not,
    no_model,
    unknown_effect,
    broke_off,
};
// As the table has it, with its {0}.
std::string_view saying(Language language, Saying what);
// With what stands for {0} and {1}.
std::string said(Language language, Saying what, const std::string& first = {}, const std::string& second = {});

}  // namespace server::bridges
