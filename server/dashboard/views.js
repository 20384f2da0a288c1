// The views: address, name, key, and the scope of whoever sees them, with what others find elsewhere instead. The first is shown at /; the server knows their addresses, too
// (server/dashboard.cpp).
export const VIEWS = [
  { name: "chat", title: "Chat", key: "c", load: () => import("./chat.js") },
  { name: "runs", title: "Runs", key: "r", load: () => import("./runs.js") },
  { name: "schedules", title: "Schedules", key: "d", load: () => import("./schedules.js") },
  { name: "memory", title: "Memory", key: "y", load: () => import("./memory.js") },
  { name: "messages", title: "Messages", key: "o", load: () => import("./messages.js") },
  { name: "system", title: "System", key: "s", load: () => import("./system.js") },
  { name: "agents", title: "Agents", key: "a", load: () => import("./agents.js") },
  { name: "prompts", title: "Prompts", key: "p", scope: "admin", instead: [["agents", "which agents you may ask, and what each may do"], ["memory", "what is remembered for you, and told to them"]], load: () => import("./prompts.js") },
  { name: "models", title: "Models", key: "m", load: () => import("./models.js") },
  { name: "mathcore", title: "MathCore", key: "t", scope: "admin", instead: [["models", "how fast models answer you"], ["runs", "how long your runs took, by tool and day"]], load: () => import("./mathcore.js") },
  { name: "people", title: "People", key: "e", load: () => import("./people.js") },
  { name: "secrets", title: "Secrets", key: "k", load: () => import("./secrets.js") },
];

export const nameAt = (path) => path.split("/")[1] || VIEWS[0].name;

const modules = new Map(); // of views, once they are asked for

// The view's module; without a wait where it is there.
export function moduleOf(view) {
  if (!modules.has(view.name)) modules.set(view.name, view.load().catch((error) => { modules.delete(view.name); throw error; }));
  return modules.get(view.name);
}
