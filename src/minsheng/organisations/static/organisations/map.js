// A map of the city: the counties' outlines, and tiles where a setting names a server. Leaflet is fetched when a map is opened.
"use strict"
window.MinshengMap = (() => {
  const fetched = new Map()

  function once(key, make) {
    if (!fetched.has(key)) fetched.set(key, make().catch((error) => { fetched.delete(key); throw error }))
    return fetched.get(key)
  }

  const script = (url) => once(url, () => new Promise((done, failed) => {
    const element = Object.assign(document.createElement("script"), { src: url, onload: done, onerror: failed })
    document.head.append(element)
  }))

  const style = (url) => once(url, () => new Promise((done, failed) => {
    const element = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url, onload: done, onerror: failed })
    document.head.append(element)
  }))

  const outlines = (url) => once(url, async () => {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error("counties: " + answer.status)
    return (await answer.json()).counties
  })

  const turned = (rings) => rings.map((ring) => ring.map(([east, north]) => [north, east]))

  // A name is written where its county is wide enough for it.
  function fitNames(map, counties) {
    const tell = () => counties.forEach((county) => {
      const box = county.shape.getBounds(), zoom = map.getZoom()
      const wide = map.project(box.getSouthEast(), zoom).x - map.project(box.getNorthWest(), zoom).x
      county.label.getElement()?.classList.toggle("is-hidden", wide < 44)
    })
    map.on("zoomend", tell)
    tell()
  }

  // Draws into `element` by `config` (minsheng.organisations.maps); answers the map and its counties by code.
  async function open(element, config) {
    const [, , shapes] = await Promise.all([style(config.style), script(config.script), outlines(config.counties)])
    const map = L.map(element, { zoomSnap: 0.5, minZoom: 7, maxZoom: 18, zoomControl: false })
    L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map)
    L.control.scale({ imperial: false }).addTo(map)
    map.attributionControl.setPrefix("")
    for (const tiles of config.tiles) L.tileLayer(tiles, { subdomains: config.subdomains, maxZoom: 18, attribution: config.attribution }).addTo(map)
    element.classList.toggle("has-tiles", config.tiles.length > 0)
    const counties = new Map()
    for (const { code, name, at, polygons } of shapes) {
      const shape = L.polygon(polygons.map(turned), { className: "county", weight: 1, interactive: false })
      const label = L.marker([at[1], at[0]], { icon: L.divIcon({ className: "county-name", html: "", iconSize: null }), interactive: false, keyboard: false })
      counties.set(code, { code, name, shape: shape.addTo(map), label })
    }
    const all = L.featureGroup([...counties.values()].map((county) => county.shape)).getBounds()
    map.fitBounds(all).setMaxBounds(all.pad(0.3))
    for (const county of counties.values()) {
      county.label.addTo(map).getElement().textContent = county.name
    }
    fitNames(map, counties)
    new ResizeObserver(() => map.invalidateSize()).observe(element)
    return { map, counties, all }
  }

  const pin = () => L.divIcon({ className: "map-pin", html: "", iconSize: [22, 30], iconAnchor: [11, 30] })

  // The case page's map: drawn when it is unfolded.
  async function show(box) {
    if (box.dataset.ready) return
    box.dataset.ready = "1"
    const [east, north] = box.dataset.at.split(",").map(Number), place = box.querySelector("[data-map-here]")
    try {
      const { map } = await open(place, JSON.parse(box.dataset.map))
      if ("near" in box.dataset) L.circle([north, east], { radius: 700, className: "map-near" }).addTo(map)
      else L.marker([north, east], { icon: pin(), keyboard: false, interactive: false }).addTo(map)
      map.setView([north, east], 12)
    } catch {
      delete box.dataset.ready
      place.textContent = "地图没有打开，请收起后再展开一次。"
    }
  }
  document.addEventListener("toggle", (event) => { if (event.target.matches?.("[data-point-shown][open]")) show(event.target) }, true)

  return { open, pin, script, style }
})()
