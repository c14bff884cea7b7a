// Small comforts for citizens; every page works without this file. Plain script, no inline code.
"use strict"
;(() => {
  const all = (selector) => [...document.querySelectorAll(selector)]
  // What identifies a person is never kept in the browser.
  const PRIVATE = new Set(["csrfmiddlewaretoken", "submission", "name", "phone", "id_number", "address", "organisation", "credit_code",
    "code", "query_code", "website"])
  const key = (name) => `minsheng.draft.${name}`

  all("[data-focus]").slice(0, 1).forEach((summary) => summary.focus())

  all("[data-print]").forEach((button) => {
    button.hidden = false
    button.addEventListener("click", () => window.print())
  })

  // Only where the browser can: without https there is no clipboard, and photographing still works.
  if (navigator.clipboard) all("[data-copy]").forEach((button) => {
    button.hidden = false
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(button.dataset.copy) } catch { return }
      all("[data-copied]").forEach((said) => { said.hidden = false })
    })
  })

  all("[data-count]").forEach((box) => {
    const most = Number(box.dataset.count)
    const left = document.createElement("p")
    left.className = "hint"
    left.setAttribute("aria-live", "polite")
    box.after(left)
    const tell = () => { left.textContent = box.value.length > most * 0.8 ? `还可以写 ${Math.max(0, most - box.value.length)} 字` : "" }
    box.addEventListener("input", tell)
    tell()
  })

  // A power cut or a lost line: the words are still there when the page is opened again in this tab.
  all("form[data-draft]").forEach((form) => {
    const fields = [...form.elements].filter((f) => f.name && !PRIVATE.has(f.name) && !["file", "hidden", "submit"].includes(f.type))
    try {
      const kept = JSON.parse(sessionStorage.getItem(key(form.dataset.draft)) || "{}")
      if (!document.querySelector("[data-focus]")) fields.forEach((f) => restore(f, kept[f.name]))
      form.addEventListener("input", () => sessionStorage.setItem(key(form.dataset.draft), JSON.stringify(values(fields))))
    } catch { /* storage refused: nothing is kept */ }
  })
  all("[data-forget]").forEach((form) => form.addEventListener("submit", () => { try { sessionStorage.clear() } catch { /* nothing was kept */ } }))
  if (document.querySelector("[data-filed]")) {
    try { Object.keys(sessionStorage).filter((k) => k.startsWith(key("file"))).forEach((k) => sessionStorage.removeItem(k)) } catch { /* nothing was kept */ }
  }

  // One press is enough; the server would make one case of many presses anyway.
  all("form").forEach((form) => form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((b) => { b.disabled = true }), 0)
    setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((b) => { b.disabled = false }), 15000)
  }))

  function values(fields) {
    const found = {}
    fields.forEach((f) => {
      if (f.type === "radio") { if (f.checked) found[f.name] = f.value }
      else if (f.type === "checkbox") found[f.name] = f.checked
      else found[f.name] = f.value
    })
    return found
  }

  function restore(field, value) {
    if (value === undefined) return
    if (field.type === "radio") field.checked = field.value === value
    else if (field.type === "checkbox") field.checked = Boolean(value)
    else if (!field.value) field.value = value
  }
})()
