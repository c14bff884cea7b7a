// The configuration pages, which a library draws: each box that searches is named by its field and what is chosen in it, as soon as it
// is made.
"use strict"
new MutationObserver(() => {
  for (const chosen of document.querySelectorAll(".select2-selection [role=textbox]:not([aria-labelledby])")) {
    const field = chosen.id.replace(/^select2-|-container$/g, "")
    const label = document.querySelector(`label[for="${field}"]`)
    if (!label) continue
    label.id ||= `label-of-${field}`
    chosen.setAttribute("aria-labelledby", label.id)
    chosen.closest("[role=combobox]")?.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`)
  }
}).observe(document.documentElement, { childList: true, subtree: true })
