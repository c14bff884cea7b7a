// The keys of every staff page: one table, which the keyboard is read by and the sheet on `?` is drawn from, so the sheet cannot lie.
//
//   minshengKeys.bind({ key: "j", words: "下一行", group: "列表", act: () => …, when: () => … })
//
// `key` is as named by keyName: "j", "?", "Ctrl+Enter", "Alt+1". `act(event)` is left out where a part of the page reads the key itself and
// only tells of it; it answers false where the key shall keep its own meaning. `typing: true` also while something is typed.
// Elements bind themselves: data-key="1" (the element is pressed), data-go="s" (g, then s). An input method's keys are never taken.
"use strict"
;(() => {
  const GO_MS = 1500
  const table = []
  const shown = (element) => element.offsetParent !== null
  const composing = (event) => event.isComposing || event.keyCode === 229
  const typingIn = (target) => target.closest?.("input, textarea, select, [contenteditable]")
  const isToggle = (field) => field.matches("[type=checkbox], [type=radio]") // nothing is typed into these: a screen's own keys still work
  let goUntil = 0

  function keyName(event) {
    const key = event.altKey && event.code?.startsWith("Digit") ? event.code.slice(5) : event.key
    const named = key.length > 1 || event.altKey || event.ctrlKey || event.metaKey
    return [
      (event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", event.shiftKey && named && "Shift", key.length === 1 && named ? key.toUpperCase() : key,
    ].filter(Boolean).join("+")
  }

  const bound = () => [...document.querySelectorAll("[data-key]")].filter(shown)
  const gone = () => [...document.querySelectorAll("[data-go]")].filter(shown)

  document.addEventListener("keydown", (event) => {
    if (composing(event) || event.defaultPrevented || ["Control", "Alt", "Shift", "Meta"].includes(event.key)) return
    const name = keyName(event)
    const field = typingIn(event.target)
    const writes = field && !isToggle(field)
    const modified = event.ctrlKey || event.metaKey || event.altKey
    const open = document.querySelector("dialog[open]")
    if (open && name !== "Escape") return
    if (!field && !modified && Date.now() < goUntil) {
      goUntil = 0
      const desk = gone().find((element) => element.dataset.go === name)
      if (desk) { event.preventDefault(); desk.click(); return }
    }
    if (!writes || modified) {
      const own = bound().find((element) => element.dataset.key === name)
      if (own) { event.preventDefault(); own.click(); return }
    }
    const entry = table.find((one) => one.key === name && one.act && (one.typing || !field) && (!one.when || one.when()))
    if (entry && entry.act(event) !== false) event.preventDefault()
  })

  function bind(entry) { table.push({ group: "到处", ...entry }) }

  const plainWords = (element) => {
    const copy = element.cloneNode(true)
    copy.querySelectorAll("kbd, svg, i, .rail-count, .visually-hidden").forEach((part) => part.remove())
    return element.dataset.keyWords || copy.textContent.replace(/\s+/g, " ").trim() || element.getAttribute("aria-label") || ""
  }

  // Every key that does something on this page now, in groups: what it is bound to and its words.
  function lines() {
    const found = table.filter((one) => one.words && (!one.when || one.when())).map((one) => [one.group, one.keys || [one.key], one.words])
    bound().forEach((element) => found.push(["这一页", [element.dataset.key], plainWords(element)]))
    gone().forEach((element) => found.push(["换工作台", ["g", element.dataset.go], plainWords(element)]))
    return found
  }

  function sheet() {
    const dialog = document.getElementById("keys")
    if (!dialog) return
    const groups = new Map()
    lines().forEach(([group, keys, words]) => groups.set(group, [...(groups.get(group) || []), [keys, words]]))
    dialog.querySelector("[data-keys-here]").replaceChildren(...[...groups].map(([name, entries]) => {
      const section = document.createElement("section"), title = document.createElement("h3"), list = document.createElement("dl")
      title.textContent = name
      list.append(...entries.map(([keys, words]) => {
        const row = document.createElement("div"), term = document.createElement("dt"), meaning = document.createElement("dd")
        keys.flatMap((key) => key.split("+").filter(Boolean)).forEach((key) => { const cap = document.createElement("kbd"); cap.textContent = key; term.append(cap, " ") })
        meaning.textContent = words
        row.append(term, meaning)
        return row
      }))
      section.append(title, list)
      return section
    }))
    dialog.showModal()
  }

  window.minshengKeys = { bind, lines, sheet, composing }
  bind({ key: "?", words: "打开这张表", act: sheet })
  bind({ key: "g", act: () => { goUntil = Date.now() + GO_MS } })
  document.addEventListener("click", (event) => { if (event.target.closest("[data-keys]")) sheet() })
})()
