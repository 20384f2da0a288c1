#include "memory/stop_words.h"

#include <algorithm>
#include <iterator>

namespace memory {
namespace {

// Each in the order of its bytes. Words that mean something in the other language ("car", "comment") or as a
// season ("été") are left out.
constexpr std::string_view kEnglish[] = {
    "a",      "about",  "above",  "after",   "again",  "against",    "all",   "am",     "an",     "and",    "any",     "are",   "as",         "at",         "be",      "because",
    "been",   "before", "being",  "below",   "between", "both",      "but",   "by",     "can",    "could",  "d",       "did",   "do",         "does",       "doing",   "down",
    "during", "each",   "few",    "for",     "from",   "further",    "had",   "has",    "have",   "having", "he",      "her",   "here",       "hers",       "herself", "him",
    "himself", "his",   "how",    "i",       "if",     "in",         "into",  "is",     "it",     "its",    "itself",  "just",  "ll",         "m",          "me",      "more",
    "most",   "my",     "myself", "no",      "nor",    "not",        "now",   "of",     "off",    "on",     "once",    "only",  "or",         "other",      "our",     "ours",
    "ourselves", "out", "over",   "own",     "re",     "s",          "same",  "she",    "should", "so",     "some",    "such",  "than",       "that",       "the",     "their",
    "theirs", "them",   "themselves", "then", "there", "these",      "they",  "this",   "those",  "through", "to",     "too",   "under",      "until",      "up",      "ve",
    "very",   "was",    "we",     "were",    "what",   "when",       "where", "which",  "while",  "who",    "whom",    "whose", "why",        "will",       "with",    "would",
    "you",    "your",   "yours",  "yourself", "yourselves"};
constexpr std::string_view kFrench[] = {
    "a",      "alors",   "au",     "aussi",  "aux",    "avais",  "avait",  "avec",   "avez",    "avons",  "c",      "ca",     "ce",     "cela",   "celle",    "celui",
    "ces",    "cet",     "cette",  "ceux",   "chez",   "combien", "d",     "dans",   "de",      "depuis", "des",    "donc",   "dont",   "du",     "elle",     "elles",
    "en",     "encore",  "entre",  "es",     "est",    "et",     "etaient", "etais", "etait",   "etes",   "etre",   "eu",     "eux",    "il",     "ils",      "j",
    "je",     "jusqu",   "l",      "la",     "le",     "les",    "leur",   "leurs",  "lorsqu",  "lui",    "m",      "ma",     "mais",   "me",     "meme",     "mes",
    "moi",    "mon",     "n",      "ne",     "nos",    "notre",  "nous",   "on",     "ont",     "ou",     "par",    "pas",    "pendant", "pour",  "pourquoi", "puisqu",
    "qu",     "quand",   "que",    "quel",   "quelle", "quelles", "quels", "qui",    "quoi",    "s",      "sa",     "sans",   "se",     "sera",   "serait",   "ses",
    "si",     "sommes",  "son",    "sont",   "suis",   "sur",    "t",      "ta",     "te",      "tes",    "toi",    "ton",    "tous",   "tout",   "toute",    "toutes",
    "tres",   "tu",      "un",     "une",    "vers",   "vos",    "votre",  "vous",   "y"};
constexpr std::string_view kCourtesies[] = {"bonjour", "bonsoir", "bye", "goodbye", "hello", "hey", "hi", "merci", "ok", "okay", "plait", "please", "salut", "thank", "thanks"};

static_assert(std::is_sorted(std::begin(kEnglish), std::end(kEnglish)));
static_assert(std::is_sorted(std::begin(kFrench), std::end(kFrench)));
static_assert(std::is_sorted(std::begin(kCourtesies), std::end(kCourtesies)));

}  // namespace

bool is_stop_word(std::string_view surface, Language language) {
    switch (language) {
        case Language::english: return std::binary_search(std::begin(kEnglish), std::end(kEnglish), surface);
        case Language::french: return std::binary_search(std::begin(kFrench), std::end(kFrench), surface);
        case Language::unclear: return false;
    }
    return false;
}

bool is_courtesy(std::string_view surface) { return std::binary_search(std::begin(kCourtesies), std::end(kCourtesies), surface); }

}  // namespace memory
