#include "server/bridges/media_words.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace server::bridges {
namespace {

struct MediaRow {
    std::string_view media;
    base::InLanguages in;
};
// Both channels' words.
constexpr MediaRow kMediaRows[] = {
    {"photo", {"photo", "photo", "Foto", "foto", "foto"}},
    {"image", {"photo", "photo", "Foto", "foto", "foto"}},
    {"voice", {"voice message", "message vocal", "Sprachnachricht", "mensaje de voz", "messaggio vocale"}},
    {"audio", {"audio", "fichier audio", "Audiodatei", "audio", "audio"}},
    {"video", {"video", "vidéo", "Video", "vídeo", "video"}},
    {"video_note", {"video message", "message vidéo", "Videonachricht", "mensaje de vídeo", "videomessaggio"}},
    {"animation", {"animation", "animation", "Animation", "animación", "animazione"}},
    {"document", {"document", "document", "Dokument", "documento", "documento"}},
    {"sticker", {"sticker", "autocollant", "Sticker", "sticker", "sticker"}},
    {"location", {"location", "position", "Standort", "ubicación", "posizione"}},
    {"venue", {"place", "lieu", "Ort", "lugar", "luogo"}},
    {"contact", {"contact", "contact", "Kontakt", "contacto", "contatto"}},
    {"contacts", {"contact", "contact", "Kontakt", "contacto", "contatto"}},
    {"poll", {"poll", "sondage", "Umfrage", "encuesta", "sondaggio"}},
    {"story", {"story", "story", "Story", "historia", "storia"}},
    {"checklist", {"checklist", "liste de tâches", "Checkliste", "lista de tareas", "lista di cose da fare"}},
    {"dice", {"dice", "dé", "Würfel", "dado", "dado"}},
    {"game", {"game", "jeu", "Spiel", "juego", "gioco"}},
    {"invoice", {"invoice", "facture", "Rechnung", "factura", "fattura"}},
    {"order", {"order", "commande", "Bestellung", "pedido", "ordine"}},
    {"unsupported", {"a kind of message that WhatsApp does not hand on", "un type de message que WhatsApp ne transmet pas", "eine Art Nachricht, die WhatsApp nicht weitergibt", "un tipo de mensaje que WhatsApp no entrega", "un tipo di messaggio che WhatsApp non consegna"}},
    {"paid_media", {"paid content", "contenu payant", "bezahlter Inhalt", "contenido de pago", "contenuto a pagamento"}},
};

}  // namespace

std::string media_word(Language language, const std::string& media) {
    const auto* const found = std::find_if(std::begin(kMediaRows), std::end(kMediaRows), [&](const MediaRow& one) { return one.media == media; });
    return found == std::end(kMediaRows) ? media : std::string(base::in(language, found->in));
}

}  // namespace server::bridges
