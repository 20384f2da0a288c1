// The views: address, name, key, and the scope of whoever sees them. The first is shown at /; the server knows their addresses, too
// (server/dashboard.cpp).
export const VIEWS = [
  { name: "chat", title: "Chat", key: "c", load: () => import("./chat.js") },
  { name: "runs", title: "Runs", key: "r", load: () => import("./runs.js") },
  { name: "schedules", title: "Schedules", key: "d", load: () => import("./schedules.js") },
  { name: "memory", title: "Memory", key: "y", load: () => import("./memory.js") },
  { name: "messages", title: "Messages", key: "o", load: () => import("./messages.js") },
  { name: "system", title: "System", key: "s", load: () => import("./system.js") },
  { name: "agents", title: "Agents", key: "a", load: () => import("./agents.js") },
  { name: "prompts", title: "Prompts", key: "p", scope: "admin", load: () => import("./prompts.js") },
  { name: "models", title: "Models", key: "m", load: () => import("./models.js") },
  { name: "mathcore", title: "MathCore", key: "t", scope: "admin", load: () => import("./mathcore.js") },
  { name: "people", title: "People", key: "e", load: () => import("./people.js") },
  { name: "secrets", title: "Secrets", key: "k", load: () => import("./secrets.js") },
];
