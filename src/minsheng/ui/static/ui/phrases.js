// 常用语 in a box of words: `;` and an abbreviation offers templates, Enter or Tab puts one in, Tab goes to the next 〔blank〕, F2 lists all.
// textarea[data-phrases="id"]: the id of a JSON list of {key, text, topic}; [data-phrases-topic]: the name of the form's topic, whose come first.
// Nothing is read while an input method composes: what it leaves is.
"use strict"
;(() => {
  const CALL = /[;；]([a-z0-9]{0,12})$/i
  const BLANK = /〔[^〔〕\n]{0,20}〕/g
  const MOST = 9
  let count = 0

  class Phrases {
    constructor(box) {
      this.box = box
      this.all = JSON.parse(document.getElementById(box.dataset.phrases)?.textContent || "[]")
      this.list = document.createElement("ul")
      this.id = "phrases-" + ++count
      this.at = -1
      this.from = null // where the abbreviation begins, or null when the list was called with F2
      Object.assign(this.list, { id: this.id, className: "tree-list phrase-list", hidden: true })
      this.list.setAttribute("role", "listbox")
      this.list.setAttribute("aria-label", "常用语")
      box.after(this.list)
      box.parentElement.classList.add("has-phrases")
      box.setAttribute("aria-autocomplete", "list")
      box.setAttribute("aria-controls", this.id)
      box.addEventListener("input", (event) => { if (!event.isComposing) this.look() })
      box.addEventListener("compositionend", () => this.look())
      box.addEventListener("keydown", (event) => this.key(event))
      box.addEventListener("blur", () => this.close())
      this.list.addEventListener("mousedown", (event) => { event.preventDefault(); const option = event.target.closest("[role=option]"); if (option) this.put(option.phrase) })
    }

    ordered() {
      const topic = this.box.form?.elements.namedItem(this.box.dataset.phrasesTopic || "")?.value
      return topic ? [...this.all].sort((a, b) => (b.topic === topic) - (a.topic === topic)) : this.all
    }

    look() {
      const call = CALL.exec(this.box.value.slice(0, this.box.selectionStart))
      if (!call) return this.close()
      const typed = call[1].toLowerCase()
      const found = this.ordered().filter((phrase) => phrase.key.startsWith(typed)).sort((a, b) => (b.key === typed) - (a.key === typed))
      this.from = call.index
      found.length ? this.open(found, typed ? 0 : -1) : this.close()
    }

    open(phrases, at) {
      this.list.replaceChildren(...phrases.slice(0, this.from === null ? phrases.length : MOST).map((phrase, index) => {
        const line = document.createElement("li"), key = document.createElement("kbd"), text = document.createElement("span")
        key.textContent = ";" + phrase.key
        text.textContent = phrase.text
        line.id = this.id + "-" + index
        line.setAttribute("role", "option")
        line.phrase = phrase
        line.append(key, " ", text)
        return line
      }))
      this.list.hidden = false
      this.move(at)
    }

    move(to) {
      const options = [...this.list.children]
      this.at = options.length && to >= 0 ? to % options.length : -1
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.at)))
      const current = options[this.at]
      current ? this.box.setAttribute("aria-activedescendant", current.id) : this.box.removeAttribute("aria-activedescendant")
      current?.scrollIntoView({ block: "nearest" })
    }

    key(event) {
      if (minshengKeys.composing(event) || event.ctrlKey || event.altKey || event.metaKey) return
      const open = !this.list.hidden
      const current = open && this.list.children[this.at]
      if (event.key === "F2") { event.preventDefault(); this.from = null; if (this.all.length) this.open(this.ordered(), 0) }
      else if (open && event.key === "ArrowDown") { event.preventDefault(); this.move(this.at + 1) }
      else if (open && event.key === "ArrowUp") { event.preventDefault(); this.move(this.at > 0 ? this.at - 1 : this.list.children.length - 1) }
      else if (current && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) { event.preventDefault(); this.put(current.phrase) }
      else if (open && event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.close() }
      else if (event.key === "Tab" && !event.shiftKey && this.blank(this.box.selectionEnd)) event.preventDefault()
    }

    // Through execCommand, so that Ctrl+Z takes it back; a browser without it has setRangeText.
    put(phrase) {
      const { box } = this
      const start = this.from ?? box.selectionStart
      this.close()
      box.setSelectionRange(start, box.selectionEnd)
      if (!document.execCommand("insertText", false, phrase.text)) {
        box.setRangeText(phrase.text, start, box.selectionEnd, "end")
        box.dispatchEvent(new Event("input", { bubbles: true }))
      }
      this.blank(start, start + phrase.text.length)
    }

    // Select the next blank from there on; false where none is left.
    blank(from, to = Infinity) {
      BLANK.lastIndex = from
      const found = BLANK.exec(this.box.value)
      if (!found || found.index >= to) return false
      this.box.setSelectionRange(found.index, found.index + found[0].length)
      return true
    }

    close() {
      this.list.hidden = true
      this.at = -1
      this.box.removeAttribute("aria-activedescendant")
    }
  }

  const start = (root) => root.querySelectorAll("textarea[data-phrases]:not([data-phrases-ready])").forEach((box) => { box.dataset.phrasesReady = "1"; new Phrases(box) })
  start(document)
  document.addEventListener("htmx:load", (event) => start(event.detail.elt))
  const here = () => document.querySelector("textarea[data-phrases]")
  const { bind } = window.minshengKeys
  bind({ keys: [";", "tq"], words: "分号和缩写：插入常用语", group: "写字框里", when: here })
  bind({ keys: ["F2"], words: "列出全部常用语", group: "写字框里", when: here })
  bind({ keys: ["Tab"], words: "常用语里：到下一个〔空〕", group: "写字框里", when: here })
})()
