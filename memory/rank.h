// Which of the remembered answers a question, and why: BM25 over the words and their context, then what else speaks for an item.
// Pure.
//
//   text      sum over the question's words of idf × f (k1 + 1) / (f + k1 (1 − b + b length / mean length)), where f and length count an
//             item's words fully and its neighbours' in part (Context), and idf = ln(1 + (N − n + ½) / (n + ½)), n the items that have the
//             word themselves (Robertson and Zaragoza 2009; weights of fields before the saturation, as in BM25F)
//   score     text / best text + the weights of Priors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memory/index.h"
#include "memory/meaning.h"
#include "memory/question.h"

namespace memory {

// What speaks for an item beside its words: added to a score whose best text counts 1. Nothing is filtered by them.
struct Priors {
    double session = 0.15;   // × the BM25 of all words of its session, of the best session's
    double speaker = 0.2;    // the question names who said it
    double date = 0.3;       // × closeness to the days that the question speaks of
    double phrase = 0.1;     // it has a quoted phrase of the question, or a name of several words
    double question = -0.2;  // × how much it is a question itself
    double repaired = 0.5;   // the weight of a word that was taken for a mistyped one
    double meaning = 0.5;    // × how far its vector stands out beside the question's, where there are vectors
};
struct Ranking {
    double k1 = 1.2, b = 0.75;
    Priors priors;
    bool plain = false;      // BM25 alone: speakers' names are words as others are, and nothing is repaired
};

// What is kept of a ranking.
struct Cut {
    std::size_t items = 8;
    double share = 0.35;     // of the best score, at least
    double covered = 0.25;   // of the question's words, by weight, an item or its context has at least, unless a name, a phrase or the time speaks for it
    bool own = false;        // an item must have a word itself, not only its neighbours
    const std::vector<bool>* hidden = nullptr;  // items that are not to be found, by number
    const Standing* meant = nullptr;            // by number, beside the question's vector; null: nobody knows
    bool all = false;        // nothing is cut, also what nothing speaks for: a ranking of all that there is, without the words that found it
};
inline constexpr Cut kAll{0xFFFFFFFF, 0, 0, false, nullptr, nullptr, true};
// Textbook BM25, for an index without context.
inline constexpr Ranking kPlain{1.2, 0.75, {0, 0, 0, 0, 0, 0, 0}, true};

// What of an item's score came from where.
struct Hit {
    std::uint32_t item = 0;
    double score = 0;
    double text = 0, session = 0, speaker = 0, date = 0, phrase = 0, question = 0, meaning = 0;
    std::vector<std::string> own, near;  // the question's words that it has, and that only its neighbours have
};

struct Repair {
    std::string written, taken;
};
struct Recalled {
    std::vector<Hit> hits;          // the best first; of equals the later
    std::vector<Repair> repaired;   // words of the question that were taken for others
};

Recalled recall(const Index& index, const Question& question, const Cut& cut = {}, const Ranking& ranking = {});

// "has dog, family; near called; said by Anna; of that time; close in meaning": why it was recalled, for the person who asks.
std::string why(const Index& index, const Hit& hit);

}  // namespace memory
