// Begins: signs in by the link in the address, or shows what whoever has signed in may see.
import { session as asked } from "./early.js";
import { answerOf, call, onSignedOut, signedIn } from "./store.js";
import { stop } from "./router.js";
import { showDoor } from "./door.js";
import { showFrame } from "./shell.js";

let inside = false;

function enter(session) {
  signedIn(session);
  inside = true;
  showFrame(session);
}

function leave(why) {
  if (!inside && document.querySelector(".door")) return;
  inside = false;
  stop();
  document.querySelectorAll("dialog").forEach((one) => one.close());
  showDoor(enter, why);
}

// The secret leaves the address at once, so that it lies in no history.
function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link) history.replaceState(null, "", location.pathname + location.search);
  return link;
}

// The answer that early.js waits for, the first time; later asked anew.
let early = asked;
async function whoLooks() {
  const response = await early;
  early = null;
  return response ? answerOf(response, "/v1/session") : call("GET", "/v1/session");
}

async function begin() {
  const link = takeLink();
  try {
    enter(await (link ? call("POST", "/v1/session", { link }) : whoLooks()));
  } catch (error) {
    if (!link && error.status !== 401) return showDoor(enter, error.message, begin);
    leave(link ? error.message : "");
  }
}

onSignedOut(() => leave("You were signed out. Sign in again to go on."));
addEventListener("hashchange", () => { if (location.hash.startsWith("#link=")) begin(); });
begin();
