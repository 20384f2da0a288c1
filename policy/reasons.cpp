#include "policy/reasons.h"

#include <algorithm>

namespace policy {
namespace {

// clang-format off
// What the shipped rules say (policy/decide.cpp).
constexpr base::InLanguages kReasons[] = {
    {"Text from outside is in this conversation, and the action reaches beyond this machine.", "Un texte de l'extérieur est dans cette conversation, et l'action dépasse cette machine.",
     "Text von außen ist in diesem Gespräch, und die Handlung reicht über diesen Rechner hinaus.", "Hay texto de fuera en esta conversación, y la acción va más allá de esta máquina.",
     "In questa conversazione c'è testo da fuori, e l'azione va oltre questa macchina."},
    {"Text from outside is in this conversation, and the action is given a secret.", "Un texte de l'extérieur est dans cette conversation, et l'action reçoit un secret.",
     "Text von außen ist in diesem Gespräch, und die Handlung erhält ein Geheimnis.", "Hay texto de fuera en esta conversación, y la acción recibe un secreto.",
     "In questa conversazione c'è testo da fuori, e l'azione riceve un segreto."},
    {"It leaves this machine.", "Cela quitte cette machine.", "Es verlässt diesen Rechner.", "Sale de esta máquina.", "Lascia questa macchina."},
    {"It touches other people.", "Cela concerne d'autres personnes.", "Es betrifft andere Menschen.", "Afecta a otras personas.", "Riguarda altre persone."},
    {"It costs money.", "Cela coûte de l'argent.", "Es kostet Geld.", "Cuesta dinero.", "Costa denaro."},
    {"It changes how this machine is run.", "Cela change la façon dont cette machine est gérée.", "Es ändert, wie dieser Rechner betrieben wird.", "Cambia cómo se gestiona esta máquina.",
     "Cambia il modo in cui è gestita questa macchina."},
    {"It has effects and does not say on what.", "Cela a des effets et ne dit pas sur quoi.", "Es hat Wirkungen und sagt nicht, worauf.", "Tiene efectos y no dice sobre qué.",
     "Ha effetti e non dice su cosa."},
};
// clang-format on
constexpr base::InLanguages kNeeds = {kNeedsApproval, " a besoin de l'accord d'une personne : ", " braucht die Zustimmung eines Menschen: ", " necesita la aprobación de una persona: ", " ha bisogno dell'approvazione di una persona: "};

}  // namespace

std::string reason_in(base::Language language, const std::string& tool, const std::string& reason) {
    const std::string lead = tool + std::string(kNeedsApproval);
    if (!reason.starts_with(lead)) return reason;
    std::string why = reason.substr(lead.size());
    const auto* const row = std::find_if(std::begin(kReasons), std::end(kReasons), [&](const base::InLanguages& one) { return base::in(base::Language::english, one) == why; });
    if (row != std::end(kReasons)) why = base::in(language, *row);
    return tool + std::string(base::in(language, kNeeds)) + why;
}

}  // namespace policy
