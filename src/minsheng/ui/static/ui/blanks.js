// Ready words with blanks 〔…〕: filled into a field at a press, then Tab goes from blank to blank and typing replaces each.
//
//   <a data-fill="words 〔时间〕" data-fill-into="id_text" data-fill-also="more" data-fill-also-into="id_basis">
//
// What somebody has typed is never overwritten: into a field that holds something the words go where the caret stands.
// 〔2026〕 is part of a document's number and no blank.
"use strict"
;(() => {
  const BLANK = /〔(?!\d{4}〕)[^〔〕\n]{0,40}〕/g
  const filled = new WeakMap() // field → the ready words last put in, replaced by others as long as they stand untouched

  function put(field, words) {
    const untouched = field.value.trim() === "" || field.value === filled.get(field)
    const from = untouched ? 0 : field.selectionStart, to = untouched ? field.value.length : field.selectionEnd
    field.focus()
    field.setRangeText(words, from, to, "start")
    filled.set(field, untouched ? words : undefined)
    field.dispatchEvent(new Event("input", { bubbles: true }))
    return from
  }

  // Selects the first blank at or after `from`; false where there is none.
  function select(field, from) {
    BLANK.lastIndex = from
    const found = BLANK.exec(field.value)
    if (!found) return false
    field.setSelectionRange(found.index, found.index + found[0].length)
    return true
  }

  document.addEventListener("click", (event) => {
    const source = event.target.closest("[data-fill]")
    const field = source && document.getElementById(source.dataset.fillInto)
    if (!field || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const also = source.dataset.fillAlso && document.getElementById(source.dataset.fillAlsoInto)
    if (also && (also.value.trim() === "" || also.value === filled.get(also))) put(also, source.dataset.fillAlso)
    const from = put(field, source.dataset.fill)
    if (!select(field, from)) field.setSelectionRange(field.value.length, field.value.length)
  })

  document.addEventListener("keydown", (event) => {
    const field = event.target
    if (event.defaultPrevented || event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || field.tagName !== "TEXTAREA") return
    if (event.shiftKey) return
    if (select(field, field.selectionEnd)) event.preventDefault() // after the last blank Tab leaves the field as ever
  })
})()
