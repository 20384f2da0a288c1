// Claims of things done, and whether they were. A small model says "I have sent it" without a call; what a person
// reads is held to the steps of the run.
//
// The analysis is deterministic and reads one sentence at a time, in English, French and German. A claim is a finished
// action of the speaker's: a first person with its participle ("I have sent", "I just deleted", "je l'ai envoyé", "habe ich …
// gespeichert"), a passive about a thing ("the file has been deleted", "la note a été enregistrée", "die Datei wurde gelöscht"),
// a thing and what became of it ("Reminder set for five"), or what it is said to be now ("the file is deleted", "la note est enregistrée", "die
// Datei ist gelöscht"). None is what is asked, denied, conditional or quoted. Forms
// that say little by themselves ("changed", "read", "set") count with a thing, a name or a pronoun beside them. Where the request wants a
// text written, its first persons are not the speaker: there only what the request also asks to be done counts.
//
// A claim holds when a step of the run that took effect is of its kind, by the words of the tool's name and by its effect: a
// pure step holds up a look and nothing else. A command of a shell holds up what can be done on this machine; what leaves
// it needs a word in the command.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/reply/words.h"

namespace agents::reply {

enum class Action { send, save, erase, write, run, arrange, operate, look };
std::string_view name(Action action);
std::optional<Action> parse_action(std::string_view name);

// A call of a tool as a claim is held against it.
struct Deed {
    enum class End { done, failed, unknown };
    std::string tool, arguments;  // arguments: in short
    bool pure = true;             // it changes nothing
    End end = End::done;
    bool operator==(const Deed&) const = default;
};

struct Claim {
    Action action = Action::look;
    Language language = Language::none;
    std::string sentence;
};

// All that the sentence claims. `quoted` as of words_of.
std::vector<Claim> claims_in(std::string_view sentence, bool& quoted);

// How much of a sentence that is still being written can be shown, in bytes, up to a blank: no claim begins in it. `quoted` as of words_of.
std::size_t harmless_prefix(std::string_view unfinished, bool quoted);

bool holds(Action action, const std::vector<Deed>& deeds);
// Whether the request asks for an action of the kind.
bool asks_for(Action action, std::string_view request);
// Whether it asks what was done: then what earlier runs did counts, too.
bool asks_about_the_past(std::string_view request);

// What claims of one reply are held against.
class Evidence {
public:
    // `earlier`: of the turns before, which hold up what the request does not ask for.
    Evidence(std::string_view request, std::vector<Deed> deeds, std::vector<Deed> earlier = {});
    const std::string& request() const { return request_; }
    const std::vector<Deed>& deeds() const { return deeds_; }
    // The first claim of the sentence that nothing holds up.
    std::optional<Claim> unfounded(std::string_view sentence, bool& quoted) const;
    // In place of a claim: what was not done, and what was. In the claim's language.
    std::string correction(const Claim& claim) const;
    // For a model: "remember {…}: done"; "none".
    std::string listed() const;

private:
    std::string request_;
    std::vector<Deed> deeds_, earlier_;
    bool composes_ = false;  // the request wants a text written
};

}  // namespace agents::reply
