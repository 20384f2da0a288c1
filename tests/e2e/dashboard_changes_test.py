"""What is changed in the dashboard: words on what waits, the password, prompts, rights, facts, messages, documents, people."""
import json
import re
import subprocess

import nightly_test
from dashboard_page import SIZES, at_each_size, chromium, hearth, page, picture, signed_in  # noqa: F401
from rule_test import in_force


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
        page.get_by_label("Message").fill("look once more")
        page.get_by_label("Message").press("Enter")
        page.get_by_role("button", name="Allow once").press("Enter")
        newest = page.locator(".turn").last
        newest.locator(".foot", has_text="tokens").wait_for()
        assert newest.locator(".person-words").inner_text() == "look once more", "what was asked stays where the answer goes on"
        assert newest.evaluate("node => node.contains(document.activeElement)"), "whoever has no mouse goes on from there"
    finally:
        subprocess.run([hearth.state.binary, "rule", "rm", "ask_first"], env=hearth.env, check=True, capture_output=True, timeout=60)


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
    at_each_size(page, "messages_unknown")
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
    at_each_size(hers, "not_hers")
    hers.set_viewport_size(SIZES["375"])
    hers.locator(".notice").get_by_role("link", name="Agents").click()
    hers.get_by_role("heading", name="Agents", exact=True).first.wait_for()
    hers.get_by_role("button", name="More").click()
    assert hers.get_by_role("dialog").get_by_role("link", name="People").count() == 1
    assert hers.get_by_role("dialog").get_by_role("link", name="Prompts").count() == 0
    picture(hers, "more_375")
    context.close()
