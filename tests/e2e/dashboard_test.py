"""The dashboard in Debian's Chromium, against a real server: every view at a phone's and a desk's width, by day and by night."""
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import time

import nightly_test
import pytest
import support
from conftest import running
from many_runs import many_runs
from rule_test import in_force
from support import Hearth, call

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no Python package index could be reached")
CHROMIUM = pathlib.Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("there is no /usr/bin/chromium: deploy/packages.txt names it", allow_module_level=True)

WORDS = "Here is what I found:\n\n- **two** files\n- `notes.txt`, which is short\n\n```\ncat notes.txt\n```\n\nSee [the page](https://example.org/x)."
SCRIPT = [
    {"when": "slow", "text": "This takes a while. " * 20, "word_delay_ms": 60},
    {"when": "look", "text": "I look.", "tool_calls": [call("list_dir", path=".")]},
    {"when": "look", "text": WORDS},
    {"when": "", "text": "Hello."},
]
PICTURES = support.ROOT / "build/pictures"
SIZES = {"375": {"width": 375, "height": 760}, "1280": {"width": 1280, "height": 800}}
HOSTILE = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>\u202e [x](javascript:alert(1)) **b"


def link(hearth, *more):
    done = subprocess.run([hearth.state.binary, "open", *more], env=hearth.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("dashboard")) as state:
        yield from running(Hearth(state, "dashboard_test", SCRIPT))


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(hearth, chromium):
    """What a browser keeps once it has signed in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(link(hearth))
    page.get_by_role("navigation", name="Views").wait_for()
    assert "#" not in page.url, "the secret leaves the address"
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(hearth, chromium, signed_in, request):
    size = getattr(request, "param", "1280")
    context = chromium.new_context(viewport=SIZES[size], storage_state=signed_in, base_url=f"http://127.0.0.1:{hearth.port}")
    context.set_default_timeout(15000)
    page = context.new_page()
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda message: page.troubles.append(message.text) if message.type == "error" and "40" not in message.text else None)
    page.on("request", lambda sent: page.troubles.append(sent.url) if not sent.url.startswith((f"http://127.0.0.1:{hearth.port}/", "data:", "blob:")) else None)
    yield page
    context.close()
    assert page.troubles == []


@pytest.fixture(scope="module")
def told(hearth):
    """Runs of several kinds, what is to come, and nights that judged three weeks."""
    runs = {}
    nightly_test.live(hearth.state, 21, 1, "6")
    for days_ago in (1, 0):
        nightly_test.batch(hearth, days_ago)
    for when, prompt in [("every morning at 7", "Tell me the weather and what is in the calendar."), ("every Monday at 18:30", "Remind me of the bins.")]:
        made = hearth.call("POST", "/v1/schedules", {"when": when, "prompt": prompt, "zone": "Europe/Paris"})
        assert made.status == 201, made.data
    for name, text, agent in [("plain", "hello", "hearth/dev"), ("tools", "look around", "hearth/dev"), ("hostile", HOSTILE, "hearth/dev")]:
        answer = hearth.call("POST", "/v1/runs", {"input": text, "agent": agent})
        assert answer.status == 202, answer.data
        runs[name] = answer.json
    for run in runs.values():
        hearth.wait_for(lambda run=run: hearth.run(run["id"])["finished"], "a run's end", 30)
    return runs


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(100)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def visits(page, name, address, ready):
    page.goto(address)
    page.locator(ready).first.wait_for()
    for size, shape in SIZES.items():
        page.set_viewport_size(shape)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), f"{address} is wider than {size}"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            picture(page, f"{name}_{size}_{scheme}")


VIEWS = [("chat", "/chat", ".start"), ("runs", "/runs", ".run-row[data-row]"), ("runs_none", "/runs?status=refused", ".notice .strong"), ("schedules", "/schedules", ".week .event"), ("memory", "/memory?question=coffee", ".notice, td"),
         ("mathcore", "/mathcore?node=thinking", ".charts .plot"), ("messages", "/messages", "main .notice, main td"),
         ("system", "/system", ".charts .plot"), ("agents", "/agents", ".graph"), ("prompts", "/prompts", ".side a"), ("prompt", "/prompts/recompose?version=1&from=1", "main .tag"),
         ("models", "/models", ".cards .card"), ("people", "/people", "main td"), ("secrets", "/secrets", ".notice")]


@pytest.mark.parametrize("name,address,ready", VIEWS)
def test_every_view_is_drawn(page, told, name, address, ready):
    visits(page, name, address, ready)


@pytest.mark.parametrize("name,ready", [("tools", ".fall button"), ("hostile", ".fall button")])
def test_a_run_is_told_as_a_whole(page, told, name, ready):
    visits(page, f"run_{name}", f"/runs/{told[name]['id']}", ready)
    assert page.title() != "gone" and page.locator("main script, main img").count() == 0
    page.locator(".fall button").nth(1).click()
    assert "span=" in page.url
    page.reload()
    page.locator(".fall button[aria-pressed=true]").wait_for()


def test_a_conversation_is_shown_as_it_was(page, told):
    visits(page, "talk", f"/chat/{told['tools']['conversation_id']}", ".tool-line")
    assert page.locator(".answer li").count() == 2 and page.locator(".answer pre").count() == 1
    assert page.locator(".answer a").get_attribute("rel") == "noopener noreferrer"
    page.goto(f"/chat/{told['hostile']['conversation_id']}")
    page.locator(".person-words").wait_for()
    assert page.locator(".person-words").inner_text().startswith("<img src=x")
    assert page.title() != "gone" and page.locator("main img").count() == 0


@pytest.mark.parametrize("page", ["1280", "375"], indirect=True)
def test_words_come_as_they_are_said_and_stop_when_told(page, hearth):
    page.goto("/chat")
    page.get_by_label("Agent").select_option("hearth/dev")
    field = page.get_by_label("Message")
    field.fill("slow please")
    field.press("Enter")
    page.locator(".turn .answer", has_text="takes a while").wait_for()
    assert re.search("/chat/[0-9a-f-]{36}$", page.url)
    picture(page, f"talk_goes_on_{page.viewport_size['width']}")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".foot", has_text="stopped").wait_for()
    said = page.locator(".turn .answer").inner_text()
    page.reload()
    page.locator(".person-words").wait_for()
    assert page.locator(".person-words").inner_text() == "slow please" and len(said) < 20 * 20


def test_what_a_tool_may_do_waits_for_a_word(page, hearth):
    rule = [hearth.state.binary, "rule", "set", "ask_first", "ask", "--tool", "list_dir", "--reason", "the house asks first"]
    subprocess.run(rule, env=hearth.env, check=True, capture_output=True, timeout=60)
    in_force(hearth, 1)
    try:
        page.goto("/chat")
        page.get_by_label("Agent").select_option("hearth/dev")
        page.get_by_label("Message").fill("look around")
        page.get_by_label("Message").press("Enter")
        card = page.locator(".approval")
        card.wait_for()
        assert "list_dir" in card.inner_text() and "the house asks first" in card.inner_text()
        picture(page, "approval_1280")
        page.set_viewport_size(SIZES["375"])
        picture(page, "approval_375")
        page.reload()
        page.locator(".approval").get_by_role("button", name="Allow once").click()
        page.locator(".answer", has_text="Here is what I found").wait_for()
        page.locator(".foot", has_text="tokens").wait_for()
        assert page.locator(".approval").count() == 0
    finally:
        subprocess.run([hearth.state.binary, "rule", "rm", "ask_first"], env=hearth.env, check=True, capture_output=True, timeout=60)


def test_a_stream_goes_on_after_a_reload(page, hearth):
    page.goto("/chat")
    page.get_by_label("Agent").select_option("hearth/dev")
    page.get_by_label("Message").fill("slow please")
    page.get_by_label("Message").press("Enter")
    page.locator(".turn .answer", has_text="takes a while").wait_for()
    page.reload()
    page.locator(".foot", has_text="tokens").wait_for(timeout=60000)
    assert page.locator(".turn .answer").inner_text().count("takes a while") == 20


def test_filters_are_part_of_the_address(page, told):
    page.goto("/runs")
    page.get_by_role("button", name="Failed").click()
    page.locator(".notice", has_text="No run is like that").wait_for()
    assert page.url.endswith("/runs?status=failed")
    page.go_back()
    page.goto("/runs?text=LOOK")
    page.locator(".run-row[data-row]").first.wait_for()
    assert set(page.locator(".run-row[data-row] .what").all_inner_texts()) == {"look around"}
    page.locator(".run-row[data-row]").first.click()
    page.locator(".fall").wait_for()
    page.go_back()
    page.locator(".run-row[data-row]").first.wait_for()
    assert page.url.endswith("/runs?text=LOOK")


def test_keys_alone_are_enough(page, told):
    page.goto("/chat")
    page.locator(".start").wait_for()
    page.locator("main").focus()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.locator(".run-row[data-row]").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".fall").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")


def test_the_password_is_set_and_signs_in(page, hearth):
    page.goto("/")
    page.get_by_role("button", name="owner").click()
    page.get_by_role("button", name="Set a password").click()
    page.get_by_label("New password").fill("a few plain words")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.context.clear_cookies()
    page.goto("/runs")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill("not this one at all")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".wrong", has_text="do not belong together").wait_for()
    for size, shape in SIZES.items():
        page.set_viewport_size(shape)
        picture(page, f"door_{size}")
    page.get_by_label("Password").fill("a few plain words")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Runs").wait_for()


def test_the_first_view_is_small_and_soon_there(hearth, chromium, signed_in):
    context = chromium.new_context(storage_state=signed_in)
    page = context.new_page()
    sizes = []
    page.on("response", lambda response: sizes.append(int(response.headers.get("content-length", 0))))
    page.goto(f"http://127.0.0.1:{hearth.port}/")
    page.locator(".start").wait_for()
    assert sum(sizes) <= 300_000, sizes
    context.close()


def test_a_prompt_is_edited_compared_and_released(page, hearth):
    page.goto("/prompts/tone")
    page.get_by_role("button", name="Edit…").click()
    field = page.get_by_label("Text")
    field.fill(field.input_value() + "\nAlways greet the cat.")
    page.get_by_role("button", name="Save the draft").click()
    page.locator(".diff .added", has_text="greet the cat").wait_for()
    assert "hearth quality run" in page.get_by_text("measured:").inner_text(), "nothing has measured it yet, and how to is said"
    picture(page, "prompt_diff_1280")
    page.get_by_role("button", name="Release…").click()
    page.get_by_label("Reason").fill("the cat wants it")
    page.get_by_role("button", name="Release on my word").click()
    page.locator(".tag.live").wait_for()
    versions = hearth.call("GET", "/v1/prompts/tone").json["versions"]
    assert "live" in versions[0]["labels"] and "the cat wants it" in versions[0]["released"]
    page.get_by_role("button", name="Roll back…").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    hearth.wait_for(lambda: "live" in hearth.call("GET", "/v1/prompts/tone").json["versions"][-1]["labels"], "the roll-back")


def test_an_agent_is_asked_and_a_backend_tried_from_its_row(page, hearth):
    page.goto("/agents")
    page.get_by_role("link", name="Ask hearth/knowledge").click()
    page.get_by_label("Message").wait_for()
    page.wait_for_function("() => document.querySelector('[aria-label=Agent]').value === 'hearth/knowledge'")
    before = {one["traffic"]: one["worked"] for one in hearth.call("GET", "/v1/drills").json["data"]}
    page.goto("/models")
    page.get_by_role("row").filter(has_text="plain").get_by_role("button", name="Try now").click()
    hearth.wait_for(lambda: {one["traffic"]: one["worked"] for one in hearth.call("GET", "/v1/drills").json["data"]}["plain"] != before["plain"], "a drill")


def test_a_schedule_is_asked_for_in_words(page, told):
    page.goto("/schedules")
    page.get_by_role("button", name="Add…").click()
    page.get_by_label("When").fill("every day at 8")
    page.get_by_label("What", exact=True).fill("Water the plants.")
    page.get_by_role("button", name="Save").click()
    page.locator(".wrong", has_text="08:00 or 20:00").wait_for()
    page.get_by_label("When").fill("every day at 08:00")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Water the plants.").last.click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").wait_for()
    page.get_by_role("button", name="End").click()
    page.get_by_role("button", name="Run now").wait_for(state="detached")


def test_each_time_of_the_week_stands_in_the_calendar(page, hearth, told):
    coming = hearth.call("GET", "/v1/schedules/coming?days=7").json["data"]
    weather = [one for one in coming if "weather" in one["prompt"]]
    assert len(weather) == 7 and [one["at"] for one in coming] == sorted(one["at"] for one in coming)
    page.goto("/schedules")
    page.locator(".week .event", has_text="weather").first.wait_for()
    assert page.locator(".week .event", has_text="weather").count() in (6, 7), "one of the seven may be of the eighth day"
    page.locator(".week .event", has_text="weather").first.click()
    page.get_by_role("button", name="Run now").wait_for()


def test_a_chart_tells_each_day_to_the_keyboard_and_to_readers(page, hearth, told):
    page.goto("/mathcore?node=thinking")
    slider = page.get_by_role("slider", name="Takes, mean of a day")
    slider.focus()
    page.keyboard.press("Home")
    first = slider.get_attribute("aria-valuetext")
    for _ in range(3):
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
    measured = next(one for one in hearth.call("GET", "/v1/mathcore/days").json["nodes"] if one["node"] == "thinking")["measured"]
    assert slider.get_attribute("aria-valuetext") != first and f"{measured[-1]['mean_ms'] / 1000:.1f} s" in slider.get_attribute("aria-valuetext")
    tip = page.locator(".tip:visible")
    assert tip.count() == 1 and "mean" in tip.inner_text()
    picture(page, "chart_tip_1280")
    chart = page.locator("figure", has=slider)
    chart.get_by_text("As a table").click()
    chart.locator("tbody tr").nth(29).wait_for()
    assert chart.locator("tbody tr").count() == 30 and chart.locator("tbody td", has_text=re.compile(r"\d s$")).count() == len(measured)
    page.get_by_role("button", name="90 days").click()
    page.wait_for_function("() => document.querySelector('[role=slider]').getAttribute('aria-valuemax') === '89'")
    assert "days=90" in page.url
    page.get_by_role("button", name="intake", exact=True).click()
    page.get_by_role("heading", name="Node intake over days").wait_for()
    page.reload()
    page.get_by_role("heading", name="Node intake over days").wait_for()


def test_what_models_were_asked_is_drawn_by_day(page, hearth, told):
    page.goto("/system")
    slider = page.get_by_role("slider", name="Requests to models")
    slider.wait_for()
    today = hearth.call("GET", "/v1/usage/days?of=house").json["data"][-1]
    assert today["calls"] >= 4 and f"requests {today['calls']}" in slider.get_attribute("aria-valuetext")


def test_runs_are_summed_up_by_tool_and_day(page, told):
    page.goto("/runs")
    page.get_by_text("By tool and day").click()
    calls = page.get_by_role("region", name="Calls by tool")
    calls.get_by_role("row").filter(has_text="list_dir").wait_for()
    for size, shape in SIZES.items():
        page.set_viewport_size(shape)
        picture(page, f"run_sums_{size}")
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), size
    calls.get_by_role("button", name="list_dir").click()
    page.get_by_role("button", name="Called list_dir ×").wait_for()
    page.wait_for_function("() => [...document.querySelectorAll('.run-row[data-row] .what')].every((one) => one.textContent.startsWith('look'))")
    assert page.url.endswith("/runs?tool=list_dir")
    page.get_by_label("Since").select_option("7")
    page.wait_for_url("**/runs?tool=list_dir&days=7")
    page.locator(".run-row[data-row]").first.wait_for()
    page.get_by_role("button", name="Called list_dir ×").click()
    page.wait_for_url("**/runs?days=7")


def test_the_owner_says_who_may_do_what(page):
    page.goto("/people")
    rights = page.get_by_role("region", name="Rights")
    for words, verdict in (("asks first", "ask"), ("may", "shipped")):
        rights.get_by_role("button", name="bash, ").first.click()
        page.get_by_label("From now on").select_option(verdict)
        page.get_by_role("button", name="Save").click()
        rights.get_by_role("button", name=re.compile(f"^bash, .*: {words}[.]")).first.wait_for()


def test_a_fact_is_changed_and_what_it_replaces_is_kept(page, hearth):
    nightly_test.sql(hearth.state, "insert into fact (id, tenant_id, audience_id, body, trusted, author) select gen_random_uuid(), tenant_id, id, 'The boiler is descaled each year.', true, id from person where role = 'owner'")
    page.goto("/memory")
    row = page.get_by_role("row").filter(has_text="descaled each year")
    row.get_by_role("button", name="Change…").click()
    page.get_by_label("Fact", exact=True).fill("The boiler is descaled each year.")
    page.get_by_role("button", name="Save").click()
    page.locator(".wrong", has_text="says that already").wait_for()
    page.get_by_label("Fact", exact=True).fill("The boiler is descaled every six months.")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="descaled every six months").click()
    page.get_by_role("link", name="an earlier one").click()
    page.locator("section", has=page.get_by_role("link", name="a later one")).wait_for()
    old, = [one for one in hearth.call("GET", "/v1/memory/facts?all=true").json["data"] if "each year" in one["text"]]
    assert old["until"] and hearth.call("POST", f"/v1/memory/facts/{old['id']}", {"text": "No."}).status == 409
    for body in ({"text": " "}, {"text": "x" * 2001}, {}):
        assert hearth.call("POST", f"/v1/memory/facts/{old['replaced_by']}", body).error["param"] == "text"
    assert "descaled every six months" in json.dumps(hearth.call("GET", "/v1/memory/recall?question=boiler").json), "it is recalled at once"


def test_the_owner_says_how_it_was_of_what_may_have_arrived(page, hearth):
    nightly_test.sql(hearth.state, """insert into outbox (id, tenant_id, audience_id, bridge, chat, emitter, part, content, role, label, rule, state, error, expires_at)
        select gen_random_uuid(), tenant_id, id, 'telegram', '42', 'test:1', 0, 'The bins go out today.', 'owner', 'trusted', 'who_has_written_is_answered', 'unknown', 'whoever sent it has not told how that ended', now() + interval '1 hour'
        from person where role = 'owner'""")
    page.goto("/messages")
    tray = page.locator(".tray", has_text="May have arrived: 1")
    tray.wait_for()
    for size, shape in SIZES.items():
        page.set_viewport_size(shape)
        picture(page, f"messages_unknown_{size}")
    tray.get_by_role("button", name="Send again…").click()
    page.get_by_role("dialog").get_by_text("reads it twice").wait_for()
    page.get_by_role("button", name="Cancel").click()
    tray.get_by_role("button", name="It arrived").click()
    page.locator(".state.ok", has_text="delivered").wait_for()
    assert tray.count() == 0 and page.get_by_text("owner says that it arrived").count() == 1


def test_what_goes_with_a_document_is_said_before_it_is_forgotten(page, hearth):
    assert hearth.call("POST", "/v1/memory/documents", {"name": "boiler.md", "text": "# Boiler\n\nDescale it every six months."}).status == 201
    page.goto("/memory")
    page.locator("section", has=page.get_by_role("heading", name="Documents")).get_by_role("button", name="Forget…").click()
    page.get_by_role("dialog").get_by_text("Cannot be reached").wait_for()
    picture(page, "forget_1280")
    page.get_by_role("button", name="Forget", exact=True).click()
    page.locator(".notice", has_text="There are no documents").wait_for()


def test_somebody_is_taken_in_and_sees_less(page, hearth, chromium):
    page.goto("/people")
    page.get_by_role("button", name="Take somebody in…").click()
    page.get_by_label("Name").fill("Clara")
    page.get_by_role("button", name="Take in", exact=True).click()
    row = page.get_by_role("region", name="People").get_by_role("row").filter(has_text="Clara")
    row.wait_for()
    row.get_by_role("button", name="Link to sign in…").click()
    address = page.get_by_label("Link", exact=True).input_value()
    context = chromium.new_context(viewport=SIZES["375"])
    hers = context.new_page()
    hers.goto(address)
    hers.get_by_role("navigation", name="Views").wait_for()
    hers.goto(f"http://127.0.0.1:{hearth.port}/runs")
    hers.locator(".notice", has_text="There are no runs yet").wait_for()
    hers.goto(f"http://127.0.0.1:{hearth.port}/prompts")
    hers.locator(".notice", has_text="Prompts is for who runs this house").wait_for()
    hers.get_by_role("button", name="More").click()
    assert hers.get_by_role("dialog").get_by_role("link", name="People").count() == 1
    assert hers.get_by_role("dialog").get_by_role("link", name="Prompts").count() == 0
    picture(hers, "more_375")
    context.close()


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_a_hundred_thousand_runs_are_a_list_like_any(page, hearth, told):
    many_runs(hearth)
    page.set_default_timeout(60000)  # the machine may be busy
    for _ in range(6):  # from the sixth time on a plan is kept that knows no limit
        hearth.call("GET", "/v1/runs?limit=50")
    began = time.monotonic()
    hearth.call("GET", "/v1/runs?limit=50")
    assert time.monotonic() - began < 1, "fifty rows of 100,000"
    page.goto("/runs")
    page.locator(".run-row[data-row]").nth(20).wait_for()
    for rows in (150, 400):
        page.wait_for_function(f"() => {{ const main = document.querySelector('main'); main.scrollTop = main.scrollHeight; return Number(document.querySelector('.runs').dataset.rows) >= {rows}; }}")
    assert page.locator(".run-row[data-row]").count() <= 80, "only those in view are elements"
    picture(page, "runs_many_1280")
    page.evaluate("document.querySelector('main').scrollTop = 47 * 200")
    seen = page.locator(".run-row[data-row] .what").nth(20)
    page.wait_for_function("() => Math.abs(parseFloat(document.querySelector('.runs').style.paddingTop) - document.querySelector('main').scrollTop) < 1000")
    words, top = seen.inner_text(), page.evaluate("document.querySelector('main').scrollTop")
    page.locator(".run-row[data-row]", has_text=words).click()
    page.locator(".fall, .notice, .trace").first.wait_for()
    page.go_back()
    page.locator(".run-row[data-row]", has_text=words).wait_for()
    assert page.evaluate("document.querySelector('main').scrollTop") == top, "Back finds the place again"
    assert hearth.call("POST", "/v1/runs", {"input": "slow please", "agent": "hearth/dev"}).status == 202  # comes on top, and what is looked at stays
    page.wait_for_function(f"() => document.querySelector('main').scrollTop > {top}")
    assert page.locator(".run-row[data-row]", has_text=words).is_visible()
    page.get_by_label("Search in questions").fill("the needle")
    page.locator(".run-row .what", has_text="where is the needle").wait_for()
    assert page.locator(".run-row[data-row]").count() == 1


MARKS = """async () => {
  const { markdown } = await import("/ui/markdown.js");
  const node = document.createElement("div");
  const hostile = ["<img src=x onerror=alert(1)>", "![x](https://evil.example/?q=1)", "[a](javascript:alert(1))", "[b](data:text/html,x)", "<a href='//evil.example'>c</a>", "`<b>`", "**".repeat(3000), "> ".repeat(400) + "x", "- ".repeat(400) + "x", "x".repeat(1 << 20)];
  const began = performance.now();
  for (const text of hostile) node.append(...markdown(text));
  const kinds = new Set([...node.querySelectorAll("*")].map((one) => one.tagName));
  return { ms: performance.now() - began, kinds: [...kinds], links: [...node.querySelectorAll("a")].map((one) => one.href) };
}"""
DIFFS = """async () => (await import("/ui/diff.js")).changes("a\\nb\\nc", "a\\nx\\nc\\nd")"""


def test_answers_are_made_of_a_few_elements(page):
    page.goto("/chat")
    told = page.evaluate(MARKS)
    assert set(told["kinds"]) <= {"P", "A", "CODE", "BLOCKQUOTE", "UL", "LI", "STRONG", "EM", "HR"} and told["ms"] < 2000, told
    assert told["links"] == ["https://evil.example/?q=1"], "an image is a link that whoever wants to clicks"
    assert page.evaluate(DIFFS) == [["same", "a"], ["gone", "b"], ["added", "x"], ["same", "c"], ["added", "d"]]


def test_axe_finds_nothing_serious(page, told):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    for name, address, ready in [*VIEWS, ("run", f"/runs/{told['tools']['id']}", ".fall button"), ("talk", f"/chat/{told['tools']['conversation_id']}", ".tool-line")]:
        page.goto(address)
        page.locator(ready).first.wait_for()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]][:3]) for one in axe.run(page).response["violations"] if one["impact"] in ("serious", "critical")]
            assert found == [], (name, scheme, json.dumps(found, indent=1))
