#include "router/admission.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace router {
namespace {

constexpr std::size_t kHeavyBytes = 2000;  // beyond it a message is a document with a question
constexpr int kHeavyPoints = 2;
constexpr int kFastWords = 12;

// Bytes of UTF-8 beyond ASCII count as letters, so that words of any script stay whole.
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (char c : text) {
        if (is_word(c)) {
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

struct Cue {
    const char* word;
    const char* what;
};

// Words that hint at a chain of thought: English, French, German.
constexpr std::array kDeep = {
    Cue{"analyse", "analysis"},     Cue{"analyze", "analysis"},       Cue{"compare", "comparison"},
    Cue{"comparer", "comparison"},  Cue{"vergleiche", "comparison"},  Cue{"prove", "proof"},
    Cue{"beweise", "proof"},        Cue{"plan", "planning"},          Cue{"planifie", "planning"},
    Cue{"plane", "planning"},       Cue{"design", "design"},          Cue{"evaluate", "evaluation"},
    Cue{"bewerte", "evaluation"},   Cue{"strategy", "planning"},      Cue{"tradeoffs", "comparison"},
    Cue{"investigate", "analysis"}, Cue{"untersuche", "analysis"},    Cue{"explain", "explanation"},
    Cue{"explique", "explanation"}, Cue{"erkläre", "explanation"},    Cue{"step", "steps"},
    Cue{"étapes", "steps"},         Cue{"schritt", "steps"},          Cue{"why", "reasons"},
    Cue{"pourquoi", "reasons"},     Cue{"warum", "reasons"},          Cue{"calculate", "calculation"},
    Cue{"berechne", "calculation"}, Cue{"summarize", "summary"},      Cue{"summarise", "summary"},
};

// Words that hint at something outside the conversation: files, memory, time, actions.
constexpr std::array kOutside = {
    "file", "files", "folder", "folders", "directory", "path", "read", "open", "show", "print", "list", "search",
    "find", "grep", "look", "contents", "run", "execute", "command", "shell", "script", "count", "write", "create",
    "readme", "makefile", "save", "edit", "change", "replace", "rename", "delete", "fix", "test", "build", "compile", "install", "line",
    "lines", "words", "calculate", "compute", "project", "code", "function", "defined", "remember",
    "recall", "remind", "reminder", "reminders", "schedule", "time", "date", "today", "tomorrow", "now", "note", "notes", "my", "our", "fichier", "fichiers",
    "dossier", "lis", "ouvre", "montre", "liste", "cherche", "trouve", "exécute", "lance", "commande", "écris",
    "crée", "modifie", "corrige", "rappelle", "souviens", "heure", "aujourd", "demain", "mon", "ma", "mes",
    "datei", "dateien", "ordner", "verzeichnis", "lies", "öffne", "zeige", "suche", "finde", "führe", "befehl",
    "schreibe", "erstelle", "ändere", "zähle", "merke", "erinnere", "uhr", "heute", "morgen", "mein", "meine",
};

bool names_file(std::string_view text) {
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        const bool joins = i > 0 && is_word(text[i - 1]), begins = i == 0 || std::string_view(" '\"(").find(text[i - 1]) != std::string_view::npos;
        if (text[i] == '.' && (joins || begins) && std::isalpha(static_cast<unsigned char>(text[i + 1])) && is_word(text[i + 2])) return true;
    }
    return false;
}

// The name of a file or of something in a program: src/a, notes.txt, .config, load_seeds, `ls`.
bool names_something(std::string_view text) { return text.find_first_of("/_`") != std::string_view::npos || names_file(text); }

}  // namespace

Admission admit(const AdmissionInput& input) {
    const auto words = words_of(input.text);
    const auto has = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
    Admission out;
    int points = 0;
    std::vector<std::string> seen;
    for (const Cue& cue : kDeep)
        if (has(cue.word) && std::find(seen.begin(), seen.end(), cue.what) == seen.end()) {
            seen.push_back(cue.what);
            out.reasons.push_back(std::string("asks for ") + cue.what + ": " + cue.word);
            ++points;
        }
    const auto questions = std::count(input.text.begin(), input.text.end(), '?');
    if (questions >= 3) out.reasons.push_back(std::to_string(questions) + " questions"), ++points;
    if (input.text.size() > kHeavyBytes)
        out.reasons.push_back(std::to_string(input.text.size()) + " bytes long"), points += kHeavyPoints;
    std::string outside;
    for (std::string_view word : kOutside)
        if (has(word)) outside = word;
    const bool names = names_something(input.text);
    out.outside = !outside.empty() || names;
    out.names_file = names_file(input.text);
    if (points >= kHeavyPoints) {
        out.execution = ExecutionClass::heavy;
        return out;
    }
    if (!outside.empty()) out.reasons.push_back("may need something outside the conversation: " + outside);
    if (names) out.reasons.push_back("names a file or something in a program");
    if (input.has_attachments) out.reasons.push_back("has attachments");
    if (input.has_client_tools) out.reasons.push_back("brings tools of the client");
    if (points == 0 && out.reasons.empty() && int(words.size()) <= kFastWords) {
        out.execution = ExecutionClass::fast;
        out.reasons.push_back(std::to_string(words.size()) + " words, nothing outside the conversation");
    } else if (out.reasons.empty()) {
        out.reasons.push_back(std::to_string(words.size()) + " words");
    }
    return out;
}

std::string_view name(ExecutionClass execution) {
    switch (execution) {
        case ExecutionClass::fast: return "fast";
        case ExecutionClass::normal: return "normal";
        case ExecutionClass::heavy: return "heavy";
    }
    return "normal";
}

}  // namespace router
