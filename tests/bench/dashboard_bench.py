"""How soon the dashboard is there: its first view with nothing kept in the browser, and the list of 100,000 runs, in Chromium on loopback.

    HEARTH_BINARY=build/release/app/hearth python3 tests/bench/dashboard_bench.py
"""
import contextlib
import json
import pathlib
import sys
import time

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import nightly_test  # noqa: E402
import support  # noqa: E402
from dashboard_page import CHROMIUM, SCRIPT, link  # noqa: E402
from many_runs import many_runs  # noqa: E402

ROUNDS = 9
SINCE = "() => performance.now()"
DRAWN = "() => performance.getEntriesByType('paint').find(one => one.name === 'first-contentful-paint')?.startTime"
LOADED = "() => performance.getEntries().filter(one => one.responseEnd && one.startTime < window.thereAt).map(one => one.encodedBodySize || 0)"
# When what is waited for is in the page and painted, by the page's own clock: whoever drives the browser looks later.
THERE = """(() => {
  const look = () => {
    if (!document.querySelector(%s)) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const behind = new MessageChannel();
      behind.port1.onmessage = () => { window.thereAt = performance.now(); };
      behind.port2.postMessage(null);
    });
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true });
})()"""
# Chromium's own: a page of this server with the same headers and one style sheet, without a script.
FLOOR = ("a page without a script", "/nowhere", "h1")
VIEWS = [FLOOR, ("first view (chat)", "/", ".start"), ("100,000 runs: first view", "/runs", ".run-row[data-row]")]


def show(name, times):
    times = sorted(times)
    print(f"{name:52} median {times[len(times) // 2]:6.0f} ms   {times[0]:.0f}–{times[-1]:.0f}")


def drawn(browser, state, address, ready):
    """Since the navigation began, in a browser that knows nothing: the first paint, the content, and what it took to load."""
    context = browser.new_context(storage_state=state, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(THERE % json.dumps(ready))
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.thereAt")
    paint = page.wait_for_function(DRAWN).json_value()
    there, sizes = page.evaluate("() => window.thereAt"), page.evaluate(LOADED)
    context.close()
    return max(there, paint), paint, len(sizes), sum(sizes)


def filtered(page, act, ready):
    began = page.evaluate(SINCE)
    act()
    page.locator(ready).first.wait_for()
    return page.evaluate(SINCE) - began


def runs(page, base):
    times = {"by state": [], "by words, one run of all": [], "3,000 rows further down": []}
    for _ in range(ROUNDS):
        page.goto(f"{base}/runs")
        page.locator(".run-row[data-row]").nth(20).wait_for()
        times["by state"].append(filtered(page, lambda: page.get_by_role("button", name="Failed").click(), ".notice"))
        page.goto(f"{base}/runs")
        page.locator(".run-row[data-row]").nth(20).wait_for()
        times["by words, one run of all"].append(filtered(page, lambda: page.get_by_label("Search in questions").fill("the needle"), ".what:text('where is the needle')"))
        page.goto(f"{base}/runs")
        page.locator(".run-row[data-row]").nth(20).wait_for()
        began = page.evaluate(SINCE)
        page.wait_for_function("() => { const main = document.querySelector('main'); main.scrollTop = main.scrollHeight; return Number(document.querySelector('.runs').dataset.rows) >= 3000; }")
        times["3,000 rows further down"].append(page.evaluate(SINCE) - began)
    for name, told in times.items():
        show(f"100,000 runs: {name}", told)
    print("rows that are elements then:", page.locator("[data-row]").count())


STEPS = """insert into step (id, tenant_id, audience_id, run_id, position, epoch, kind, name, effect, effect_key, state, started_at, finished_at)
  select gen_random_uuid(), tenant_id, audience_id, id, 0, 0, 'tool', case when random() < 0.0001 then 'rare' when random() < 0.5 then 'read_file' else 'bash' end, 'pure', 'model:0', 'done', started_at, started_at + random() * interval '1 second'
  from run where id < '01900fff-0000-7000-8000-000000000000';
  analyze step"""


# What the server takes for sums and filters over 100,000 runs with a call each.
def by_tool(server):
    nightly_test.sql(server.state, STEPS)
    for path in ("/v1/runs/sums?days=1", "/v1/runs/sums?days=30", "/v1/runs/sums?days=30&tool=rare", "/v1/runs?tool=bash", "/v1/runs?tool=rare", "/v1/runs?tool=nothing", "/v1/runs?since=2020-01-01&until=2020-01-02"):
        times = []
        for _ in range(7):
            began = time.monotonic()
            server.call("GET", path)
            times.append((time.monotonic() - began) * 1000)
        show(f"GET {path}", times)


def main():
    with contextlib.closing(support.State("dashboard-bench")) as state, sync_playwright() as started:
        server = support.Hearth(state, "dashboard_bench", SCRIPT)
        try:
            server.start()
            server.dev("hello")
            many_runs(server)
            browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            base = f"http://127.0.0.1:{server.port}"
            first = browser.new_context().new_page()
            first.goto(link(server))
            first.get_by_role("navigation", name="Views").wait_for()
            kept = first.context.storage_state()
            told = [[drawn(browser, kept, base + address, ready) for _, address, ready in VIEWS] for _ in range(ROUNDS)]  # one after the other, so that what else the machine does is shared
            for (name, _, _), rounds in zip(VIEWS, zip(*told)):
                show(f"{name}, there", [one[0] for one in rounds])
                show(f"{name}, first paint", [one[1] for one in rounds])
                print(f"{name}: {rounds[0][2]} requests until then, {rounds[0][3] / 1000:.0f} kB")
            runs(browser.new_context(storage_state=kept, viewport={"width": 1280, "height": 800}).new_page(), base)
            browser.close()
            by_tool(server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
