// Several rows of a list: x picks the row under the cursor, so does a press on it while 多选 is on; the bar leads to what may be done with them.
"use strict"
;(() => {
  const MOST = 20
  const bar = document.querySelector("[data-bulk]")
  if (!bar) return
  const mode = bar.querySelector("[data-bulk-mode]"), acts = bar.querySelector("[data-bulk-acts]"), count = bar.querySelector("[data-bulk-count]")
  const picked = new Set()
  const list = () => document.querySelector("[data-list]")
  const current = () => document.querySelector("[data-row].is-cursor") || document.querySelector("[data-row][aria-current]")
  bar.hidden = false

  function draw(note = "") {
    list().querySelectorAll("[data-row]").forEach((row) => {
      const on = picked.has(row.id.slice("row-".length))
      row.classList.toggle("is-picked", on)
      const link = row.querySelector("a")
      on ? link.setAttribute("aria-description", "已选") : link.removeAttribute("aria-description")
    })
    acts.hidden = !picked.size
    const said = note || (picked.size ? "已选 " + picked.size + " 件" : "")
    if (count.textContent !== said) count.textContent = said // the count stands in the list that is watched: written anew each time, it would never end
  }

  function toggle(row) {
    if (!row) return
    const number = row.id.slice("row-".length)
    if (picked.delete(number)) draw()
    else if (picked.size >= MOST) draw("一次最多 " + MOST + " 件")
    else { picked.add(number); draw() }
  }

  bar.addEventListener("click", (event) => {
    const act = event.target.closest("[data-bulk-act]")
    if (act) {
      const query = new URLSearchParams([...picked].map((number) => ["n", number]))
      query.set("back", location.pathname + location.search)
      act.href = act.pathname + "?" + query
    } else if (event.target.closest("[data-bulk-clear]")) { picked.clear(); draw() }
    else if (event.target === mode) mode.setAttribute("aria-pressed", String(mode.getAttribute("aria-pressed") !== "true"))
  })
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("[data-list] [data-row]")
    if (!row || mode.getAttribute("aria-pressed") !== "true") return
    event.preventDefault()
    event.stopPropagation()
    toggle(row)
  }, true)
  new MutationObserver(() => draw()).observe(list(), { childList: true, subtree: true }) // rows that come by themselves, or anew
  window.minshengKeys.bind({ key: "x", words: "选中或不选这一行，几件一起办", group: "列表", when: () => current(), act: () => toggle(current()) })
})()
