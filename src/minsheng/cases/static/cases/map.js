// The map of cases: points gathered into clusters, each with the most pressing light of its own; beside it the newest in sight.
"use strict"
;(() => {
  const box = document.getElementById("case-map")
  if (!box) return
  const LIGHTS = ["none", "yellow", "orange", "red"], WORDS = ["未亮灯", "黄灯", "橙灯", "红灯"]
  // ○ ● ◆ ▲: shape beside colour.
  const SHAPES = ['<circle cx="8" cy="8" r="5"/>', '<circle cx="8" cy="8" r="6"/>', '<path d="M8 .5 15.5 8 8 15.5.5 8z"/>', '<path d="M8 1 15.5 14.5H.5z"/>']
  const SHOWN = 20, AGAIN_MS = 10000
  const config = JSON.parse(box.dataset.caseMap)
  const list = document.getElementById("map-rows"), inSight = document.getElementById("map-in-sight")
  const said = document.getElementById("map-said"), table = document.getElementById("map-table"), none = document.getElementById("map-none")
  let chosen = ""
  const drawing = (light) => `<svg viewBox="0 0 16 16" aria-hidden="true">${SHAPES[light]}</svg>`
  let points = [], timer, asked = ""

  const icon = (light) => L.divIcon({ className: `case-mark light-${LIGHTS[light]}`, html: drawing(light), iconSize: [24, 24] })

  function clusterIcon(cluster) {
    const inside = cluster.getAllChildMarkers(), worst = Math.max(...inside.map((one) => one.options.light)), size = inside.length
    const width = 34 + 8 * String(size).length
    return L.divIcon({ className: `case-mark case-cluster light-${LIGHTS[worst]}`, html: `${drawing(worst)}<b>${size}</b>`, iconSize: [width, 28] })
  }

  async function draw() {
    const [base, answer] = await Promise.all([
      MinshengMap.open(box, config),
      fetch(config.points, { headers: { Accept: "application/json" } }),
      MinshengMap.style(config.cluster[1]),
    ])
    if (!answer.ok) throw new Error("points: " + answer.status)
    await MinshengMap.script(config.cluster[0])
    const found = await answer.json()
    shade(base.counties, config.counts)
    const { map } = base
    const groups = L.markerClusterGroup({ iconCreateFunction: clusterIcon, chunkedLoading: true, showCoverageOnHover: false, maxClusterRadius: 48, spiderLegPolylineOptions: { weight: 1, color: "#5a6675" } })
    put(groups, found.points)
    groups.on("click", ({ layer }) => choose(layer.options.number))
    groups.on("clusterkeypress", (event) => { if (event.originalEvent.key === "Enter") event.layer.zoomToBounds({ padding: [20, 20] }) })
    groups.on("keypress", (event) => { if (event.originalEvent.key === "Enter") choose(event.layer.options.number) })
    map.addLayer(groups)
    if (points.length) map.fitBounds(L.latLngBounds(points.map(([east, north]) => [north, east])).pad(0.05), { maxZoom: 14 })
    map.on("moveend", () => { clearTimeout(timer); timer = setTimeout(() => tell(map), 250) })
    tell(map)
    follow(groups, base)
  }

  function put(groups, found) {
    points = found
    box.dataset.drawn = points.length
    groups.clearLayers()
    groups.addLayers(points.map(([east, north, light, number]) =>
      L.marker([north, east], { icon: icon(light), light, number, title: `${number} ${WORDS[light]}` })))
  }

  // The page has looked at what changed (ui/live.js): so does the map, now and then, with all that is said of it, in one answer.
  // What is chosen, in sight and in focus stays.
  function follow(groups, { map, counties }) {
    let lookedAt = performance.now(), waiting = false, known = ""
    document.addEventListener("live:parts", () => {
      if (waiting) return
      waiting = true
      setTimeout(async () => {
        waiting = false
        lookedAt = performance.now()
        const answer = await fetch(config.points + "&around", { headers: { Accept: "application/json", "X-Background": "1" } }).catch(() => null)
        if (!answer?.ok || answer.redirected) return
        const text = await answer.text()
        if (text === known) return
        known = text
        const fresh = JSON.parse(text)
        say(fresh, counties)
        if (JSON.stringify(fresh.points) !== JSON.stringify(points)) putAgain(groups, fresh.points)
        asked = ""
        if (points.length) await tell(map)
        else showNewest(fresh.newest)
      }, Math.max(0, lookedAt + AGAIN_MS - performance.now()))
    })
  }

  function putAgain(groups, fresh) {
    const focused = box.contains(document.activeElement) && document.activeElement.title
    put(groups, fresh)
    if (focused) [...box.querySelectorAll(".case-mark")].find((mark) => mark.title === focused)?.focus({ preventScroll: true })
  }

  function say(fresh, counties) {
    for (const [place, html] of [[said, fresh.said], [table, fresh.table]]) {
      const drawn = place.cloneNode(false)
      drawn.innerHTML = html
      live.put(place, drawn)
    }
    shade(counties, fresh.counts)
  }

  function showNewest(rows) {
    list.innerHTML = rows
    list.hidden = !list.childElementCount
    none.hidden = !list.hidden
    inSight.textContent = `最新的 ${list.childElementCount} 件`
  }

  // How many there are, and how dark: the square root, so that the small are seen beside the large.
  function shade(counties, counts) {
    const most = Math.max(1, ...Object.values(counts).map(([, others]) => others))
    for (const [code, county] of counties) {
      const [withPoint, others] = counts[code] || [0, 0]
      county.shape.getElement().style.setProperty("--shade", Math.sqrt(others / most).toFixed(2))
      const label = county.label.getElement()
      const count = label.querySelector("b") || label.appendChild(document.createElement("b"))
      count.textContent = withPoint + others || ""
    }
  }

  async function tell(map) {
    if (!points.length) return // beside a map without a mark stand the newest of all
    const sight = map.getBounds(), inside = points.filter(([east, north]) => sight.contains([north, east]))
    inSight.textContent = inside.length > SHOWN ? `这一片有 ${inside.length} 件，最新的 ${SHOWN} 件：` : `这一片有 ${inside.length} 件`
    await show(inside.slice(0, SHOWN).map((point) => point[3]))
  }

  async function show(numbers) {
    const query = numbers.map((number) => "n=" + encodeURIComponent(number)).join("&")
    if (query === asked) return
    asked = query
    if (!numbers.length) { list.replaceChildren(); return }
    try {
      const answer = await fetch(config.rows + "?" + query, { headers: { "HX-Request": "true" } })
      const rows = answer.ok ? await answer.text() : ""
      if (!answer.ok || asked !== query) return
      const held = list.contains(document.activeElement) && document.activeElement.closest("[data-row]")?.id
      list.innerHTML = rows
      list.hidden = false
      none.hidden = true
      lift(document.getElementById("row-" + chosen), false)
      // The map moves on by itself after a choice: whoever stands on a row is not thrown off it.
      if (held) document.getElementById(held)?.querySelector("a").focus({ preventScroll: true })
    } catch { inSight.textContent += "（列表没有取到，移动一下地图再试）" }
  }

  // A mark chosen on the map: its row, first and lit, in sight and in focus.
  async function choose(number) {
    const others = [...list.querySelectorAll("[data-row]")].map((row) => row.id.slice(4)).filter((one) => one !== number)
    if (!document.getElementById("row-" + number)) { await show([number, ...others].slice(0, SHOWN)) }
    chosen = number
    lift(document.getElementById("row-" + number), true)
  }

  function lift(row, focus) {
    if (!row) return
    list.querySelectorAll(".is-chosen").forEach((one) => one.classList.remove("is-chosen"))
    row.classList.add("is-chosen")
    list.prepend(row)
    if (!focus) return
    row.querySelector("a").focus({ preventScroll: true })
    row.scrollIntoView({ block: "nearest" })
  }

  draw().catch(() => { box.textContent = "地图没有打开，请刷新再试。旁边的列表和表格照常可用。" })
})()
