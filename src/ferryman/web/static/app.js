/* What the pages gain where scripts run: they stay up to date, count what is selected, copy,
   and answer to keys.  Nothing here is needed to read a page or to act on it. */
(() => {
  "use strict";

  const root = document.documentElement;
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("js");

  // ---- settings: kept by the server, sent in the background -----------------------------

  const keep = (name, value) => {
    const form = find("#theme")?.form;
    if (!form) return; // on a wall nothing is kept
    const body = new URLSearchParams({ [name]: value, back: form.elements.back.value });
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
  };

  const isDark = () => {
    const chosen = root.dataset.theme;
    return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  };

  const turnTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    keep("theme", root.dataset.theme);
    dispatchEvent(new Event("ferryman:theme"));
  };

  // ---- times: as long ago as they are, in the reader's zone ------------------------------

  const zone = root.dataset.zone || undefined;
  const two = (number) => String(number).padStart(2, "0");

  const span = (seconds) => {
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  };

  const fine = (seconds) => {
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(Math.floor(seconds % 60))} s`;
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`;
  };

  const relative = (when) => {
    const seconds = (Date.now() - when) / 1000;
    if (Math.abs(seconds) < 1) return "now";
    return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
  };

  const part = (options) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...options });
  const day = part({ year: "numeric", month: "2-digit", day: "2-digit" });
  const clock = part({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const zoneName = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" });

  const full = (when) => {
    const name = zoneName.formatToParts(when).find((each) => each.type === "timeZoneName").value;
    return `${day.format(when)} ${clock.format(when).replace(",", ".")} ${name}`;
  };

  const tick = () => {
    for (const time of all("time[datetime]")) {
      const when = new Date(time.dateTime);
      if ("since" in time.dataset) time.textContent = fine(Math.max(0, Date.now() - when) / 1000);
      else if (!("moment" in time.dataset)) time.textContent = relative(when);
    }
  };

  const localise = () => {
    for (const time of all("time[datetime]")) {
      const when = new Date(time.dateTime);
      if (Number.isNaN(+when)) continue;
      time.title = full(when);
      if (time.dataset.moment === "time") time.textContent = clock.format(when).replace(",", ".");
      else if ("moment" in time.dataset) time.textContent = full(when);
    }
    const place = find("[data-zone-name]");
    if (place) place.textContent = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    tick();
  };

  // ---- live: poll, unless the reader is busy with what would be replaced ------------------

  const live = { seconds: 0, chosen: 0, etag: null, fresh: Date.now(), next: 0, wait: 0, offline: false };
  const region = () => find("#live");

  const isChanged = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((each) => each.selected !== each.defaultSelected && (each.defaultSelected || field.selectedIndex > 0));
    return "defaultValue" in field && field.value !== field.defaultValue;
  };

  const busy = () => {
    const picked = all('#live input[name="ref"]:checked, #live input[name="name"]:checked').length;
    if (picked) return `Paused: ${picked} selected`;
    if (find(":popover-open, dialog[open]")) return "Paused: dialog open";
    if (find("#live .menu[open]")) return "Paused: menu open";
    const selection = getSelection();
    if (!selection.isCollapsed && region().contains(selection.anchorNode)) return "Paused: text selected";
    const field = document.activeElement;
    if (field?.matches("#live :is(input:not([type=checkbox]), select, textarea)")) return "Paused: typing";
    if (all("#live :is(input, select, textarea)").some(isChanged)) return "Paused: filter changed";
    return "";
  };

  const show = (text, tone) => {
    const state = find("#live-state");
    if (!state) return;
    state.dataset.tone = tone;
    if (state.lastElementChild.textContent !== text) state.lastElementChild.textContent = text;
  };

  const tell = (() => {
    let said = 0;
    return (text) => {
      if (Date.now() - said < 10_000) return;
      said = Date.now();
      find("#announce").textContent = text;
    };
  })();

  const beat = () => {
    tick();
    const here = region();
    if (!here?.hasAttribute("hx-get") || document.hidden) return;
    if (!live.seconds) return show("Paused", "neutral");
    const reason = busy();
    if (reason) show(reason, "neutral");
    if (reason && !reason.endsWith("selected")) return;
    const age = Math.round((Date.now() - live.fresh) / 1000);
    const left = Math.ceil((live.next - Date.now()) / 1000);
    if (reason) live.fresh = Date.now();
    else if (live.offline) show(left > 0 ? `Offline: retrying in ${left} s` : "Offline: retrying", "bad");
    else if (age > live.seconds * 10) show(`Stale: ${age} s old`, "bad");
    else if (age > live.seconds * 3) show(`Stale: ${age} s old`, "warn");
    else show(`Live ${live.seconds} s`, "ok");
    root.classList.toggle("stale", live.offline || age > live.seconds * 10);
    if (left <= 0) {
      live.next = Date.now() + live.seconds * 1000;
      htmx.trigger(here, "ferryman:tick");
    }
  };

  const failedOnce = () => {
    live.wait = Math.min(60, Math.max(live.seconds, live.wait * 2));
    live.next = Date.now() + live.wait * 1000;
    live.offline = true;
    tell("The dashboard does not answer. What you see is the latest that is known.");
  };

  const arrived = (answer) => {
    if (live.offline) tell("The dashboard answers again.");
    Object.assign(live, { offline: false, wait: 0, fresh: Date.now(), etag: answer.getResponseHeader("ETag") ?? live.etag });
  };

  // While rows are selected nothing moves under the pointer: what is new is only counted.
  const showNewer = (html) => {
    const button = find("[data-newer]");
    if (!button || !html) return;
    const refs = (from) => all('input[name="ref"]', from).map((box) => box.value);
    const there = new Set(refs(document));
    const newer = refs(new DOMParser().parseFromString(html, "text/html")).filter((ref) => !there.has(ref)).length;
    button.hidden = !newer;
    button.textContent = `${newer} newer ${newer === 1 ? "job" : "jobs"}: show`;
  };

  const liveEvents = {
    "htmx:configRequest": ({ detail }) => {
      if (live.etag && detail.elt.id === "live") detail.headers["If-None-Match"] = live.etag;
    },
    "htmx:beforeSwap": ({ detail }) => {
      if (detail.target.id !== "live" || detail.xhr.status >= 400) return;
      if (new URL(detail.xhr.responseURL).pathname !== location.pathname) location.reload();
      // The reader may have begun something while the answer was on its way.
      else if (!busy()) arrived(detail.xhr);
      else {
        detail.shouldSwap = false;
        showNewer(detail.xhr.responseText);
      }
    },
    "htmx:afterRequest": ({ detail }) => {
      if (detail.elt.id !== "live" || (detail.xhr.status >= 200 && detail.xhr.status < 400)) return;
      if (detail.xhr.status === 401) location.reload();
      else failedOnce();
    },
    "htmx:afterSwap": () => {
      lookAgainSoon();
      localise();
      rows.reset();
      dispatchEvent(new Event("ferryman:swap"));
    },
  };

  // Some of the page was still being read when it was made.
  const lookAgainSoon = () => {
    if (region().hasAttribute("data-soon")) live.next = Date.now() + 1000;
  };

  const failures = () => Number(find('.nav .pip[data-tone="bad"]')?.textContent.replace(/\D/g, "") ?? 0);
  let known = 0;
  const noticeFailures = () => {
    const now = failures();
    if (now > known) tell(now - known === 1 ? "1 new failure." : `${now - known} new failures.`);
    known = now;
  };

  // What the reader opened, and what was drawn, is not the server's to close or to wipe out.
  const keepWhatIsOpen = () => {
    if (!window.Idiomorph) return;
    Object.assign(Idiomorph.defaults.callbacks, {
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
      beforeNodeMorphed: (node) => !node.hasAttribute?.("data-plot"),
    });
  };

  const startLive = () => {
    const here = region();
    if (!here?.hasAttribute("hx-get")) return;
    live.seconds = live.chosen = Number(here.dataset.seconds);
    live.next = Date.now() + live.seconds * 1000;
    lookAgainSoon();
    known = failures();
    keepWhatIsOpen();
    for (const [name, act] of Object.entries(liveEvents)) document.addEventListener(name, act);
    addEventListener("ferryman:swap", noticeFailures);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      live.fresh = Math.max(live.fresh, Date.now() - live.seconds * 1000);
      live.next = 0;
      beat();
    });
    beat();
  };

  // One tab of this browser is told of news and tells the others; they ask at once, and every few seconds as ever.
  const startHearing = () => {
    const url = region()?.dataset.events;
    if (!url || !navigator.locks || !window.BroadcastChannel) return;
    const tabs = new BroadcastChannel(url);
    let leave = null, leaving = 0;
    const hear = () => {
      if (!live.seconds || live.seconds > 5) return; // who wants it less often has it so
      live.next = 0;
      beat();
    };
    const listen = (signal) => new Promise((done) => {
      const source = new EventSource(url);
      source.addEventListener("snapshot", () => { tabs.postMessage(0); hear(); });
      signal.addEventListener("abort", () => { source.close(); done(); });
    });
    const join = () => {
      clearTimeout(leaving);
      if (document.hidden) leaving = setTimeout(() => { leave?.abort(); leave = null; }, 30_000);
      else if (!leave) {
        const { signal } = leave = new AbortController();
        navigator.locks.request(url, { signal }, () => listen(signal)).catch(() => {});
      }
    };
    tabs.onmessage = hear;
    document.addEventListener("visibilitychange", join);
    join();
  };

  const setLive = (seconds) => {
    live.seconds = seconds;
    live.next = live.fresh = Date.now();
    for (const each of all("#live-menu button")) {
      each.toggleAttribute("aria-current", Number(each.value) === seconds);
      if (Number(each.value) === seconds) each.setAttribute("aria-current", "true");
    }
    beat();
  };

  // ---- selecting rows --------------------------------------------------------------------

  const rows = {
    last: null,
    boxes: (from) => all('tbody .pick input[type="checkbox"]', from),
    count() {
      for (const bar of all("[data-bulk]")) {
        const boxes = rows.boxes(bar.closest("form"));
        const picked = boxes.filter((box) => box.checked).length;
        bar.classList.toggle("on", picked > 0);
        find("[data-picked]", bar).textContent = `${picked} selected`;
        const head = find("[data-all]", bar.closest("form"));
        if (head) Object.assign(head, { checked: picked > 0 && picked === boxes.length, indeterminate: picked > 0 && picked < boxes.length });
      }
    },
    pick(box, withShift) {
      const boxes = rows.boxes(box.closest("form"));
      if (withShift && boxes.includes(rows.last)) {
        const [from, to] = [boxes.indexOf(rows.last), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
      }
      rows.last = box;
      rows.count();
    },
    pickAll(form, checked) {
      for (const box of rows.boxes(form)) box.checked = checked;
      rows.count();
    },
    reset() {
      if (!document.contains(rows.last)) rows.last = null;
      rows.count();
    },
  };

  // ---- copying: also where the page has no HTTPS ------------------------------------------

  const copyText = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr", readOnly: true });
    (find(":popover-open") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  const copyFrom = async (button) => {
    await copyText(button.dataset.copy);
    button.classList.add("done");
    const use = find("use", button);
    use?.setAttribute("href", "#i-tick");
    find("#announce").textContent = "Copied.";
    setTimeout(() => {
      button.classList.remove("done");
      use?.setAttribute("href", "#i-copy");
    }, 1500);
  };

  const turnWrap = (button) => {
    const body = document.getElementById(button.dataset.wrap);
    const wrapped = !body.classList.toggle("unwrapped");
    button.setAttribute("aria-pressed", wrapped);
  };

  // ---- clicks ----------------------------------------------------------------------------

  const clicks = [
    ["[data-copy]", (it) => copyFrom(it)],
    ["[data-wrap]", (it) => turnWrap(it)],
    ["[data-all]", (it) => rows.pickAll(it.form, it.checked)],
    ["[data-none]", (it) => rows.pickAll(it.form, false)],
    ["[data-newer]", (it) => { rows.pickAll(it.form, false); it.hidden = true; live.next = 0; beat(); }],
    ["tbody .pick input", (it, event) => rows.pick(it, event.shiftKey)],
    ["#theme", (it, event) => { event.preventDefault(); turnTheme(); }],
    ["[data-open]", (it, event) => { event.preventDefault(); document.getElementById(it.dataset.open).showPopover(); }],
    ["#live-menu button", (it, event) => {
      event.preventDefault();
      setLive(Number(it.value));
      keep("live", it.value);
      it.closest("details").open = false;
    }],
  ];

  document.addEventListener("click", (event) => {
    for (const menu of all(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    for (const [selector, act] of clicks) {
      const it = event.target.closest(selector);
      if (it) return act(it, event);
    }
  });

  // An address says only what narrows.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "get") return;
    const empty = [...event.target.elements].filter((field) => field.name && !field.value && !field.disabled);
    for (const field of empty) field.disabled = true;
    setTimeout(() => empty.forEach((field) => { field.disabled = false; }));
  });

  // ---- keys: single letters only for those who asked for them -------------------------------

  const places = { o: "", q: "queues", j: "jobs", f: "failed", p: "periodic", w: "workers", s: "storage" };
  let pending = false;

  const go = (letter) => {
    const links = all(".nav a");
    const index = Object.keys(places).indexOf(letter);
    if (index >= 0 && links[index]) links[index].click();
  };

  const step = (by) => {
    const links = all("[data-rows] tbody tr");
    if (!links.length) return;
    const at = links.findIndex((row) => row.contains(document.activeElement));
    const row = links[Math.min(links.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by))];
    (find("th a", row) ?? find("a", row))?.focus();
  };

  const keys = {
    "/": () => find('.search input, input[name="q"]')?.focus(),
    "?": () => find("#keys").showPopover(),
    ".": () => setLive(live.seconds ? 0 : live.chosen || 5),
    j: () => step(1),
    k: () => step(-1),
    t: turnTheme,
    x: () => find('.pick input', document.activeElement.closest("tr") ?? undefined)?.click(),
    g: () => { pending = true; setTimeout(() => { pending = false; }, 1500); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all(".menu[open]")) { menu.open = false; find("summary", menu).focus(); }
    if (root.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    if (find(":popover-open")) return;
    if (pending) { pending = false; return go(event.key); }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // ---- begin -----------------------------------------------------------------------------

  document.addEventListener("DOMContentLoaded", () => {
    localise();
    rows.count();
    startLive();
    startHearing();
    // On a phone the strips of pages and states scroll sideways: where one is stays in view.
    for (const strip of all(".nav, .tabs")) {
      const here = find("[aria-current]", strip)?.getBoundingClientRect();
      if (here) strip.scrollLeft += here.left + here.width / 2 - strip.clientWidth / 2;
    }
    setInterval(beat, 1000);
  });
})();
