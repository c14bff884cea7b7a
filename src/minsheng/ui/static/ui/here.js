// Who else has open what this page shows: says where this browser is, and shows where the others are.
"use strict"
;(() => {
  const { one, all, shownCase, openForm } = live
  const main = one("main[data-events]")
  const BEAT_MS = 30000
  const SETTLE_MS = 250
  const people = new Map() // case token -> who is there
  let stream = "", said = "", timer = null
  if (!main) return

  function where() {
    const here = document.hidden ? null : shownCase()
    const rows = all("[data-row][data-watch]").map((row) => row.dataset.watch).filter(Boolean)
    return { stream, case: here?.dataset.watch || "", doing: (here && openForm()?.dataset.code) || "", rows: [...new Set(rows)] }
  }

  function say(again) {
    if (!stream) return
    const body = JSON.stringify(where())
    if (body === said && !again) return
    said = body
    const url = new URL(main.dataset.events, location.href)
    url.pathname += "/here"
    // Plain text, so that another port need not be asked first whether it may be asked.
    fetch(url, { method: "POST", body, credentials: "include", headers: { "Content-Type": "text/plain" } }).catch(() => { said = "" })
  }

  const soon = () => { clearTimeout(timer); timer = setTimeout(() => { say(false); show() }, SETTLE_MS) }

  const doing = (it) => it.doing ? `正在填写“${it.doing}”` : "正在看"

  function show() {
    const here = shownCase(), slot = here && one("[data-present]", here)
    if (slot) put(slot, people.get(here.dataset.watch) || [])
    all("[data-row][data-watch]").forEach((row) => {
      const place = one(".case-row-who", row), found = people.get(row.dataset.watch) || []
      if (place && place.dataset.shown !== JSON.stringify(found)) putBrief(place, found)
    })
  }

  function put(slot, found) {
    slot.hidden = !found.length
    const text = found.map((it) => `${it.name}（${it.role}）${doing(it)}`).join("；")
    if (slot.textContent !== text) slot.replaceChildren(...(found.length ? [icon(), document.createTextNode(text)] : []))
  }

  function putBrief(place, found) {
    place.dataset.shown = JSON.stringify(found)
    place.title = found.map((it) => `${it.name}（${it.role}）${doing(it)}`).join("；")
    const more = found.length > 1 ? ` 等 ${found.length} 人` : ""
    place.replaceChildren(...(found.length ? [icon(found[0].doing ? "ti-pencil" : "ti-eye"), document.createTextNode(found[0].name + more)] : []))
  }

  function icon(name = "ti-eye") {
    const mark = document.createElement("i")
    mark.className = `ti ${name}`
    mark.setAttribute("role", "img")
    mark.setAttribute("aria-label", "正在查看")
    return mark
  }

  document.addEventListener("live:hello", (event) => { stream = event.detail.stream; said = ""; people.clear(); soon() })
  document.addEventListener("live:present", (event) => { people.set(event.detail.case, event.detail.people); show() })
  document.addEventListener("live:parts", soon)
  document.addEventListener("htmx:afterSettle", soon)
  document.addEventListener("click", (event) => { if (event.target.closest("[data-close-drawer]")) soon() })
  document.addEventListener("visibilitychange", soon)
  setInterval(() => say(true), BEAT_MS)
})()
