// What models were asked over the last days, as charts that more than one view shows.
import { byDay, chart } from "./charts.js";
import { count } from "./format.js";

export const SPAN = 30; // days
export const PATH = `/v1/usage/days?days=${SPAN}`;

export const speedCharts = (days, data) => [
  chart("Tokens written a second", days, [{ name: "tokens/s", values: byDay(days, data, (one) => one.tokens_per_second) }], { write: (value) => count(Math.round(value * 10) / 10) }),
  chart("Prompt read from the cache", days, [{ name: "cached", values: byDay(days, data, (one) => (one.prompt_tokens ? one.cached_tokens / one.prompt_tokens : null)) }], { write: (value) => `${Math.round(100 * value)} %`, least: 0.5 }),
];
