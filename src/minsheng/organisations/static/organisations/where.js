// Beside a form's address: streets that it may mean, and a place picked on a map. Both only propose; a person chooses.
"use strict"
;(() => {
  const WAIT = 350
  const REFUSED = { 1: "没有得到定位的许可。可以在浏览器设置里允许，或直接在地图上点选。", 2: "现在定不了位，请直接在地图上点选。", 3: "定位用时太久，请再试一次，或直接在地图上点选。" }
  const make = (name, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(name), attributes)
    element.append(...children)
    return element
  }

  class Where {
    constructor(box) {
      this.box = box
      this.form = box.closest("form")
      this.value = box.querySelector("input")
      this.said = box.querySelector("[data-point-said]")
      this.opener = box.querySelector("[data-point-open]")
      this.clearer = box.querySelector("[data-point-clear]")
      this.list = box.querySelector("[data-proposals]")
      box.classList.add("is-ready")
      this.opener.addEventListener("click", () => this.toggle())
      this.clearer.addEventListener("click", () => this.put(null))
      const address = this.field("address")
      address?.addEventListener("input", () => this.soon())
      address?.closest(".field")?.append(this.list)
      for (const name of ["place", "county", "street"]) this.field(name)?.addEventListener("change", () => this.tell())
      if (this.value.value || address?.value) this.ask()
    }

    field(name) { return this.form?.elements.namedItem(name) }

    soon() { clearTimeout(this.timer); this.timer = setTimeout(() => this.ask(), WAIT) }

    // Posted, so that no log holds where somebody lives. The last question counts.
    async ask() {
      const address = this.field("address")?.value.trim() || "", point = this.value.value
      const asked = this.asked = address + "|" + point
      if (address.length < 2 && !point) { this.answer = null; return this.tell() }
      const body = new FormData(), token = this.field("csrfmiddlewaretoken")
      for (const [name, value] of [["address", address], ["point", point], ["csrfmiddlewaretoken", token?.value || ""]]) body.append(name, value)
      try {
        const answer = await fetch(this.box.dataset.where, { method: "POST", body, headers: { Accept: "application/json" } })
        if (!answer.ok || asked !== this.asked) return
        this.answer = await answer.json()
      } catch { return }
      if (this.answer.outside || this.answer.unreadable) return this.put(null, "这个位置不在福州市范围内，没有选上，请重新选。")
      this.tell()
    }

    // --- proposals ---
    tell() {
      const open = (this.answer?.proposals || []).filter((one) => !this.chosen(one))
      this.list.replaceChildren()
      if (open.length) this.list.append(make("span", { className: "point-hint", textContent: "是不是：" }))
      for (const one of open) {
        const button = make("button", { type: "button", className: "proposal" }, make("b", { textContent: one.name }), one.county ? " " + one.county : "")
        button.addEventListener("click", () => this.choose(one))
        this.list.append(make("span", { className: "proposal-line" }, button, make("span", { className: "point-hint", textContent: one.reason })))
      }
      const point = this.value.value
      this.clearer.hidden = !point
      this.opener.textContent = this.panel && !this.panel.hidden ? "收起地图" : point ? "在地图上改位置" : "在地图上选位置"
      if (point) this.said.textContent = "已选位置" + (this.answer?.county ? "：" + this.answer.county : "")
    }

    chosen(one) {
      const place = this.field("place")
      if (place) return place.value === String(one.key)
      return one.street_code ? this.field("street")?.value === one.street_code : this.field("county")?.value === one.county_code
    }

    choose(one) {
      const place = this.field("place")
      if (place) {
        const option = [...place.options].find((it) => it.value === String(one.key)) || new Option(one.name, one.key)
        option.dataset.path = (one.county + " " + one.name).trim()
        if (!option.parentNode) place.add(option)
        this.set(place, one.key)
        const typed = place.closest("[data-tree]")?.querySelector("[role=combobox]")
        if (typed) { typed.value = option.dataset.path; typed.focus() }
      } else {
        this.set(this.field("county"), one.county_code)
        this.set(this.field("street"), one.street_code)
        this.field(one.street_code ? "street" : "county")?.focus()
      }
      this.tell()
    }

    set(field, value) {
      if (!field) return
      field.value = value
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }))
    }

    // --- the map ---
    async toggle() {
      if (!this.panel) this.build()
      else this.panel.hidden = !this.panel.hidden
      this.opener.setAttribute("aria-expanded", String(!this.panel.hidden))
      this.tell()
      if (this.panel.hidden || this.map) return
      try {
        const { map, counties } = await MinshengMap.open(this.canvas, JSON.parse(this.box.dataset.map))
        this.map = map
        map.on("click", (event) => this.at(event.latlng))
        const [east, north] = this.value.value.split(",").map(Number)
        const county = counties.get(this.field("county")?.value || this.answer?.proposals?.[0]?.county_code)
        if (county) map.fitBounds(county.shape.getBounds())
        if (this.value.value) { this.mark([north, east]); map.setView([north, east], 13) }
      } catch { this.canvas.textContent = "地图没有打开。不选位置也可以提交；要再试，请收起后重新打开。"; this.panel = null }
    }

    build() {
      this.canvas = make("div", { className: "map" })
      this.canvas.setAttribute("role", "application")
      this.canvas.setAttribute("aria-label", "地图。方向键移动，加减号缩放，再按“选中间这一点”")
      const tools = make("p", { className: "point-tools" })
      const tool = (words, act) => {
        const button = make("button", { type: "button", className: "btn btn-outline-secondary", textContent: words })
        button.addEventListener("click", act)
        tools.append(button)
      }
      tool("选中间这一点", () => this.map && this.at(this.map.getCenter()))
      if ("ownPlace" in this.box.dataset && navigator.geolocation) tool("用我的位置", () => this.locate())
      this.panel = make("div", { className: "point-panel" }, make("p", { className: "point-hint", textContent: "放大后，点一下事情发生的地方；点错了再点一次。" }), make("div", { className: "map-frame" }, this.canvas), tools)
      this.box.append(this.panel)
    }

    // Only when pressed: where somebody is, is theirs to tell.
    locate() {
      this.said.textContent = "正在定位…"
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => { const here = L.latLng(coords.latitude, coords.longitude); this.at(here); this.map?.setView(here, 15) },
        (error) => { this.said.textContent = REFUSED[error.code] || REFUSED[2] },
        { enableHighAccuracy: true, timeout: 10000, maximumAge: 60000 },
      )
    }

    at(spot) { this.mark(spot); this.put(spot) }

    mark(spot) {
      if (this.marker) return this.marker.setLatLng(spot)
      this.marker = L.marker(spot, { icon: MinshengMap.pin(), draggable: true, autoPan: true, keyboard: false, title: "选的位置" }).addTo(this.map)
      this.marker.on("dragend", () => this.put(this.marker.getLatLng()))
    }

    put(spot, why = "") {
      this.value.value = spot ? spot.lng.toFixed(6) + "," + spot.lat.toFixed(6) : ""
      if (!spot) { this.marker?.remove(); this.marker = null }
      this.said.textContent = spot ? "已选位置" : why
      for (const kind of ["input", "change"]) this.value.dispatchEvent(new Event(kind, { bubbles: true }))
      this.ask()
    }
  }

  const start = (root) => root.querySelectorAll("[data-point]:not(.is-ready)").forEach((box) => new Where(box))
  start(document)
  document.addEventListener("htmx:load", (event) => start(event.detail.elt))
})()
