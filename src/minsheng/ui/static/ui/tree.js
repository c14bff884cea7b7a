// A tree select (topic, unit, place) becomes a box to type in; the select stays, hidden, and carries the value.
"use strict"
;(() => {
  const MOST = 12
  let count = 0

  class Tree {
    constructor(box) {
      this.select = box.querySelector("select")
      this.url = box.dataset.searchUrl
      this.id = "tree-" + ++count
      this.at = -1
      this.input = document.createElement("input")
      this.list = document.createElement("ul")
      this.build(box)
      this.show()
    }

    build(box) {
      const { input, list, select } = this
      Object.assign(input, { type: "text", id: select.id, className: "form-control", autocomplete: "off", placeholder: box.dataset.placeholder })
      for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", this.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value)
      for (const name of ["aria-describedby", "aria-invalid", "required"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name))
      select.id += "-value"
      select.hidden = true
      select.required = false
      Object.assign(list, { id: this.id, className: "tree-list", hidden: true })
      list.setAttribute("role", "listbox")
      box.append(input, list)
      input.addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.find(), this.url ? 150 : 0) })
      input.addEventListener("focus", () => input.select())
      input.addEventListener("keydown", (event) => this.key(event))
      input.addEventListener("blur", () => setTimeout(() => { this.close(); this.show() }, 120))
      list.addEventListener("mousedown", (event) => { event.preventDefault(); const option = event.target.closest("[role=option]"); if (option) this.pick(option) })
    }

    show() {
      const option = this.select.selectedOptions[0]
      this.input.value = option && option.value ? option.dataset.path || option.textContent.trim() : ""
    }

    async find() {
      const words = this.input.value.trim().toLowerCase()
      if (!words) { this.select.value = ""; return this.close() }
      const asked = words
      this.url ? await this.fetch(asked) : this.list.replaceChildren(...this.local(words))
      if (asked !== this.input.value.trim().toLowerCase()) return
      if (!this.list.children.length) {
        const none = document.createElement("li")
        none.textContent = "没有找到，换个说法试试"
        this.list.append(none)
      }
      ;[...this.list.children].forEach((option, index) => { option.id = this.id + "-" + index })
      this.list.hidden = false
      this.input.setAttribute("aria-expanded", "true")
      this.move(0)
    }

    async fetch(words) {
      try {
        const answer = await fetch(this.url + (this.url.includes("?") ? "&" : "?") + "q=" + encodeURIComponent(words), { headers: { "HX-Request": "true" } })
        if (answer.ok) this.list.innerHTML = await answer.text()
      } catch { this.list.replaceChildren() }
    }

    // Every word must be found in the path, the aliases or the pinyin; those whose own label begins so come first.
    local(words) {
      const parts = words.split(/\s+/)
      const scored = [...this.select.options].filter((option) => option.value).map((option) => {
        const label = option.textContent.trim().toLowerCase()
        const hay = (label + " " + (option.dataset.path || "") + " " + (option.dataset.search || "")).toLowerCase()
        if (!parts.every((part) => hay.includes(part))) return null
        return { option, rank: label.startsWith(words) ? 0 : label.includes(words) ? 1 : 2 }
      }).filter(Boolean).sort((a, b) => a.rank - b.rank)
      return scored.slice(0, MOST).map(({ option }) => this.line(option))
    }

    line(option) {
      const line = document.createElement("li"), label = document.createElement("b"), path = document.createElement("span")
      label.textContent = option.textContent.trim()
      path.textContent = option.dataset.path && option.dataset.path !== label.textContent ? option.dataset.path : ""
      line.setAttribute("role", "option")
      Object.assign(line.dataset, { value: option.value, label: label.textContent })
      line.append(label, path)
      return line
    }

    options() { return [...this.list.querySelectorAll("[role=option]")] }

    move(to) {
      const options = this.options()
      this.at = options.length ? (to + options.length) % options.length : -1
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.at)))
      const current = options[this.at]
      current ? this.input.setAttribute("aria-activedescendant", current.id) : this.input.removeAttribute("aria-activedescendant")
      current?.scrollIntoView({ block: "nearest" })
    }

    key(event) {
      if (event.isComposing) return
      const open = !this.list.hidden
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); open ? this.move(this.at + (event.key === "ArrowDown" ? 1 : -1)) : this.find() }
      else if (event.key === "Enter" && open && !event.ctrlKey && this.options()[this.at]) { event.preventDefault(); this.pick(this.options()[this.at]) }
      else if (event.key === "Escape" && open) { event.stopPropagation(); this.close(); this.show() }
    }

    pick(line) {
      const { value, label } = line.dataset
      if (![...this.select.options].some((option) => option.value === value)) this.select.add(new Option(label, value))
      this.select.value = value
      this.close()
      this.show()
      this.select.dispatchEvent(new Event("input", { bubbles: true }))
      this.select.dispatchEvent(new Event("change", { bubbles: true }))
    }

    close() {
      this.list.hidden = true
      this.input.setAttribute("aria-expanded", "false")
      this.input.removeAttribute("aria-activedescendant")
    }
  }

  const start = (root) => root.querySelectorAll("[data-tree]:not([data-ready])").forEach((box) => { box.dataset.ready = "1"; new Tree(box) })
  start(document)
  document.addEventListener("htmx:load", (event) => start(event.detail.elt))
})()
