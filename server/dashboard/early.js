// Who looks is asked while the other modules still load: nothing can be shown before that is known. A link in the address signs in first (main.js).
export const session = location.hash.startsWith("#link=") ? null : fetch("/v1/session", { credentials: "same-origin", cache: "no-store" }).catch(() => null);
