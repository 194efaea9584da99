"""A hand that presses every button it sees.

It looks for them on the page itself, so that a button which nobody thought of is pressed too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import Page, Response

__all__ = ["Hand"]

_BUTTONS = "button:enabled:not([hidden]), input:is([type=submit], [type=button], [type=image]):enabled"
_FIND = """(selector) => [...document.querySelectorAll(selector)].map((it) => {
  const page = it.closest("main") ? location.pathname.split("/")[3] : "every page";
  const form = it.type === "submit" ? it.form : null;
  if (!form) {
    const marks = it.getAttributeNames().filter((name) => name.startsWith("data-"));
    const opens = [it.getAttribute("popovertarget"), it.getAttribute("popovertargetaction")];
    return {name: [page, it.textContent.trim() || it.title, ...marks, ...opens].filter(Boolean).join(" "), path: ""};
  }
  const path = new URL(it.getAttribute("formaction") ?? form.getAttribute("action"), location).pathname;
  const said = new FormData(form, it).get("action") ?? (it.name === "live" ? it.value : "");
  return {name: [page, form.method, path, said].filter(Boolean).join(" "), path};
})"""
_UNCOVER = """(it) => {
  for (const each of document.querySelectorAll(":popover-open")) if (!each.contains(it)) each.hidePopover();
  for (const each of document.querySelectorAll(".menu[open]")) if (!each.contains(it)) each.open = false;
  for (let each = it; each; each = each.parentElement) if (each.matches("details")) each.open = true;
  const all = it.closest("[data-bulk]") && it.form.querySelector("[data-all]");
  if (all && !all.checked) all.click();
  const asked = it.closest("[popover]:not(:popover-open)");
  if (asked) asked.showPopover();
}"""
_FILL = """(it, usual) => {
  const fields = it.form.elements;
  for (const each of [...fields].filter((one) => !one.value)) {
    if (each.name in usual) each.value = usual[each.name];
    else if (each.required) each.value = each.pattern || fields.namedItem("name")?.value || "to be sure";
  }
}"""
_LOOKS = "document.querySelectorAll(':popover-open').length + document.documentElement.outerHTML"


@dataclass(frozen=True)
class _Button:
    """One button: which of the page's it is, what tells it from others, and where its form goes if it sends one."""

    place: int
    name: str
    path: str


@dataclass
class Hand:
    """Presses each button once, wherever it is met; `sent` is where forms went.

    `usual` is what is typed into fields by their name; where a button asks to be sure, that is typed which it asks for.
    """

    page: Page
    usual: Mapping[str, str]
    seen: set[str] = field(default_factory=set)
    pressed: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)

    async def press_all(self, fresh: Callable[[], Awaitable[object]]) -> None:
        """Press what is new to this hand on a page, which `fresh` opens anew, and on those that this leads to."""
        await fresh()
        while button := await self._next():
            await self._press(button)
            if button.path and not await self._next():
                await fresh()

    async def _next(self) -> _Button | None:
        found = await self.page.evaluate(_FIND, _BUTTONS)
        buttons = [_Button(place, each["name"], each["path"]) for place, each in enumerate(found)]
        self.seen |= {each.name for each in buttons}
        return next((each for each in buttons if each.name not in self.pressed), None)

    async def _press(self, button: _Button) -> None:
        it = self.page.locator(_BUTTONS).nth(button.place)
        await it.evaluate(_UNCOVER)
        if button.path:
            await it.evaluate(_FILL, self.usual)
            async with self.page.expect_response(lambda answer: _path(answer) == button.path):
                await it.click()
            await self.page.wait_for_load_state()
            self.sent.add(button.path)
        else:
            await self.page.evaluate(f"window.before = {_LOOKS}")
            await it.click()
            await self.page.wait_for_function(f"() => window.before !== {_LOOKS}")
        self.pressed.add(button.name)


def _path(answer: Response) -> str:
    return urlsplit(answer.url).path
