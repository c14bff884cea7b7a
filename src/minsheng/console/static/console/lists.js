// The bar above a list: short addresses, one preset at a time, a panel ready to type in.
"use strict"
;(() => {
  // What is empty says nothing, and would make every address long.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-list-form]")) return
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true
  })
  addEventListener("pageshow", () => { for (const field of document.querySelectorAll("[data-list-form] :disabled")) field.disabled = false })

  document.addEventListener("change", (event) => {
    const field = event.target
    if (!field.closest("[data-list-form]")) return
    const group = field.closest("fieldset")
    if (field.matches("[data-one]") && field.checked) {
      for (const other of group.querySelectorAll("input")) if (other !== field) other.type === "checkbox" ? (other.checked = false) : (other.value = "")
    }
    if (field.type === "date" && field.value) for (const preset of group.querySelectorAll("[data-one]")) preset.checked = false
  })

  document.addEventListener("toggle", (event) => {
    const menu = event.target
    if (!menu.matches?.(".list-menu") || !menu.open) return
    for (const other of document.querySelectorAll(".list-menu[open]")) if (other !== menu) other.open = false
    const trees = menu.querySelectorAll("[data-tree-later]")
    for (const tree of trees) { delete tree.dataset.treeLater; tree.dataset.tree = "" }
    if (trees.length) menu.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: menu } }))
    menu.querySelector(".menu-body input:not([type=hidden]), .menu-body a")?.focus()
  }, true)
})()
