// A tree select (topic, unit, place) becomes a box to type in; the select stays, hidden, and carries the value. Combobox of WAI-ARIA's
// authoring practices: the focus stays in the box, aria-activedescendant names the option.
//
// The rows come whole from data-list-url, once a page, and are matched here: no question to the server while somebody types. With an
// empty box it offers what is likely: data-near (values, the likeliest first) and, with data-said-in (id of a textarea), what is said there.
"use strict"
;(() => {
  const MOST = 12
  const LIKELY = 8
  const lists = new Map()
  let count = 0

  // ---- rows: {value, label, path, code, lines: [{text, kind}]} ----
  // A search key is lines: a name, its pinyin, its initials, then the next name's. The first name is the row's own, the rest are aliases.
  function prepare({ value, label, path, code = "", search = "", ...more }) {
    const lines = []
    let said = "", names = 0
    for (const text of search.toLowerCase().split("\n").filter(Boolean)) {
      const latin = /^[\x20-\x7e]+$/.test(text)
      if (!latin || !said) { said = text; names += 1 }
      lines.push({ text, own: names === 1, kind: !latin || text === said ? "word" : text.length === said.length ? "initials" : "pinyin" })
    }
    if (!lines.length) lines.push({ text: label.toLowerCase(), own: true, kind: "word" })
    return { value: String(value), label, path: path || label, code, lines, ...more }
  }

  const load = (url) => {
    if (!lists.has(url)) lists.set(url, fetch(url, { credentials: "same-origin", headers: { "X-Background": "1" } })
      .then((answer) => answer.ok ? answer.json() : Promise.reject(answer.status))
      .then(({ rows }) => rows.map(prepare))
      .catch(() => { lists.delete(url); return [] }))
    return lists.get(url)
  }

  // ---- how well a row fits: the exact first, then beginnings of initials, of words and pinyin, what lies inside, what has the letters in order ----
  function inOrder(letters, text) {
    let at = 0
    for (const letter of text) if (letter === letters[at]) at += 1
    return at === letters.length
  }

  function rankOf(row, typed) {
    if (row.code && row.code === typed) return 0
    let best = row.code && typed.length > 1 && row.code.startsWith(typed) ? 2 : Infinity
    for (const { text, own, kind } of row.lines) {
      const rank = text === typed ? 1 : text.startsWith(typed) ? (kind === "initials" ? 3 : 4) : text.includes(typed) ? 5
        : typed.length > 2 && kind === "initials" && inOrder(typed, text) ? 7 : Infinity
      best = Math.min(best, own ? rank : rank + .5)
    }
    return best === Infinity && row.path.toLowerCase().includes(typed) ? 6 : best
  }

  // `near`: value → place among the likely ones; it decides between rows that fit alike.
  function matches(rows, typed, near = new Map()) {
    const parts = typed.toLowerCase().split(/\s+/).filter(Boolean)
    const whole = parts.join("")
    if (!whole) return []
    return rows.map((row, order) => {
      const joined = rankOf(row, whole)
      return { row, order, rank: joined < Infinity || parts.length < 2 ? joined : Math.max(...parts.map((part) => rankOf(row, part))) + 1 }
    }).filter((found) => found.rank < Infinity)
      .sort((a, b) => a.rank - b.rank || (near.get(a.row.value) ?? 99) - (near.get(b.row.value) ?? 99) || a.order - b.order)
      .slice(0, MOST).map((found) => found.row)
  }

  // What is said in a text: the rows of which a word of two characters or more stands there, the longest word first.
  function said(rows, text) {
    const words = text.toLowerCase()
    return rows.map((row) => ({ row, length: Math.max(0, ...row.lines.filter((line) => line.kind === "word" && line.text.length > 1 && words.includes(line.text)).map((line) => line.text.length)) }))
      .filter((found) => found.length).sort((a, b) => b.length - a.length).map((found) => found.row)
  }

  class Tree {
    constructor(box) {
      this.box = box
      this.select = box.querySelector("select")
      this.id = "tree-" + ++count
      this.at = -1
      this.rows = []
      this.input = document.createElement("input")
      this.list = document.createElement("ul")
      this.told = document.createElement("span")
      this.build(box)
      this.show()
      this.ready = box.dataset.listUrl ? load(box.dataset.listUrl) : Promise.resolve(this.local())
    }

    local() {
      return [...this.select.options].filter((option) => option.value).map((option) => prepare({
        value: option.value, label: option.textContent.trim(), path: option.dataset.path, search: [option.textContent.trim(), ...(option.dataset.search || "").split(/\s+/)].join("\n"),
      }))
    }

    build(box) {
      const { input, list, select, told } = this
      Object.assign(input, { type: "text", id: select.id, className: "form-control", autocomplete: "off", placeholder: box.dataset.placeholder, spellcheck: false })
      for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", this.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value)
      for (const name of ["aria-describedby", "aria-invalid", "required"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name))
      if (select.required) { input.removeAttribute("required"); input.setAttribute("aria-required", "true") }
      select.id += "-value"
      select.hidden = true
      select.required = false
      Object.assign(list, { id: this.id, className: "tree-list", hidden: true })
      list.setAttribute("role", "listbox")
      list.setAttribute("aria-label", document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.firstChild.textContent.trim() || "选项")
      Object.assign(told, { className: "visually-hidden" })
      told.setAttribute("role", "status")
      box.append(input, list, told)
      input.addEventListener("input", () => this.find())
      input.addEventListener("focus", () => { input.select(); if (!select.value) this.offer() })
      input.addEventListener("click", () => { if (this.list.hidden && !this.typed()) this.offer() })
      input.addEventListener("keydown", (event) => this.key(event))
      input.addEventListener("blur", () => { this.close(); this.show() })
      list.addEventListener("mousedown", (event) => { event.preventDefault(); const option = event.target.closest("[role=option]"); if (option) this.pick(option) })
      select.addEventListener("change", () => { if (document.activeElement !== input) this.show() })
    }

    show() {
      const option = this.select.selectedOptions[0]
      this.input.value = option && option.value ? option.dataset.path || option.textContent.trim() : ""
    }

    typed() { return this.input.value.trim() }

    near() { return (this.box.dataset.near || "").split(",").filter(Boolean) }

    async find() {
      const typed = this.typed()
      if (!typed) {
        if (this.select.value) { this.select.value = ""; this.tell() }
        return this.offer()
      }
      const rows = await this.ready
      if (typed !== this.typed() || document.activeElement !== this.input) return
      const found = matches(rows, typed, new Map(this.near().map((value, place) => [value, place])))
      this.open(found, found.length ? 0 : -1)
    }

    // An empty box: what is said in the text, then what is near; nothing is chosen until an arrow says so.
    async offer() {
      const rows = await this.ready
      if (this.typed() && !this.select.value || document.activeElement !== this.input) return
      const text = document.getElementById(this.box.dataset.saidIn || "")?.value || ""
      const near = this.near().map((value) => rows.find((row) => row.value === value)).filter(Boolean)
      const likely = [...new Set([...said(rows, text).slice(0, 4), ...near])].slice(0, LIKELY)
      likely.length ? this.open(likely, -1) : this.close()
    }

    open(rows, at) {
      this.list.replaceChildren(...rows.map((row, index) => this.line(row, index)))
      if (!rows.length) {
        const none = document.createElement("li")
        none.textContent = "没有找到，换个说法试试"
        none.setAttribute("role", "option")
        none.setAttribute("aria-disabled", "true")
        this.list.append(none)
      }
      this.list.hidden = false
      this.input.setAttribute("aria-expanded", "true")
      this.told.textContent = rows.length ? rows.length + " 项，按下箭头选择" : "没有找到"
      this.move(at)
    }

    line(row, index) {
      const line = document.createElement("li"), label = document.createElement("b"), path = document.createElement("span")
      label.textContent = row.label
      path.textContent = row.path !== row.label ? row.path : ""
      line.id = this.id + "-" + index
      line.setAttribute("role", "option")
      line.row = row
      line.append(label, path)
      return line
    }

    options() { return [...this.list.querySelectorAll("[role=option]:not([aria-disabled])")] }

    move(to) {
      const options = this.options()
      this.at = options.length && to >= 0 ? to % options.length : -1
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.at)))
      const current = options[this.at]
      current ? this.input.setAttribute("aria-activedescendant", current.id) : this.input.removeAttribute("aria-activedescendant")
      current?.scrollIntoView({ block: "nearest" })
    }

    key(event) {
      if (minshengKeys.composing(event)) return
      const open = !this.list.hidden
      const current = open && this.options()[this.at]
      if (event.altKey || event.metaKey) return
      if (event.key === "ArrowDown") { event.preventDefault(); open ? this.move(this.at + 1) : this.select.value || !this.typed() ? this.offer() : this.find() }
      else if (event.key === "ArrowUp" && open) { event.preventDefault(); this.move(this.at > 0 ? this.at - 1 : this.options().length - 1) }
      else if (event.key === "Enter" && !event.ctrlKey && current) { event.preventDefault(); this.pick(current) }
      else if (event.key === "Tab" && current) this.pick(current) // and the focus goes on
      else if (event.key === "Escape" && open) { event.preventDefault(); event.stopPropagation(); this.close(); this.show() }
    }

    pick(line) {
      this.choose(line.row)
      this.close()
    }

    choose({ value, label, path }) {
      let option = [...this.select.options].find((one) => one.value === value)
      if (!option) { option = new Option(label, value); this.select.add(option) }
      option.dataset.path = path
      this.select.value = value
      this.show()
      this.tell()
    }

    tell() { for (const kind of ["input", "change"]) this.select.dispatchEvent(new Event(kind, { bubbles: true })) }

    close() {
      this.list.hidden = true
      this.told.textContent = ""
      this.input.setAttribute("aria-expanded", "false")
      this.input.removeAttribute("aria-activedescendant")
    }
  }

  const trees = new WeakMap()
  const start = (root) => root.querySelectorAll("[data-tree]:not([data-ready])").forEach((box) => { box.dataset.ready = "1"; trees.set(box, new Tree(box)) })
  start(document)
  document.addEventListener("htmx:load", (event) => start(event.detail.elt))

  // For other scripts: choose(box, {value, label, path}) as a person would; row(box, value) as listed, with what the list says of it beside.
  window.minshengTree = {
    choose: (box, row) => trees.get(box)?.choose({ path: row.label, ...row, value: String(row.value) }),
    row: async (box, value) => (await trees.get(box)?.ready)?.find((row) => row.value === String(value)),
    matches: async (box, typed) => matches(await trees.get(box).ready, typed),
  }
})()
