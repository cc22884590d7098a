/* A map: Leaflet over outlines of the world (Natural Earth, bundled), or over tiles where the site names an address for them. */
import 'leaflet/dist/leaflet.css';
import { CircleMarker, LatLngBounds, LayerGroup, Map as LeafletMap, TileLayer, GeoJSON, Canvas, Rectangle } from 'leaflet/dist/leaflet-src.esm.js';

const TILES = __TILES__;
const REST = { center: [30, 5], zoom: 2 };
const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* A label never becomes markup. */
function textOnly(text) {
  const span = document.createElement('span');
  span.textContent = text;
  return span;
}

async function outlines() {
  const [{ feature, mesh }, { default: world }] = await Promise.all([import('topojson-client'), import('world-atlas/countries-50m.json')]);
  return { land: feature(world, world.objects.land), borders: mesh(world, world.objects.countries, (a, b) => a !== b) };
}

async function addGround(map) {
  if (TILES) {
    new TileLayer(TILES, { maxZoom: 19 }).addTo(map);
    return;
  }
  const { land, borders } = await outlines(), renderer = new Canvas({ padding: 0.5 });
  const draw = () => [
    new GeoJSON(land, { renderer, interactive: false, style: { stroke: true, weight: 0.8, color: styleOf('--map-coast'), fill: true, fillColor: styleOf('--map-land'), fillOpacity: 1 } }),
    new GeoJSON(borders, { renderer, interactive: false, style: { weight: 0.6, color: styleOf('--map-border'), fill: false } }),
  ].map((layer) => layer.addTo(map));
  let layers = draw();
  const theme = new MutationObserver(() => { layers.forEach((layer) => layer.remove()); layers = draw(); });
  theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  map.on('unload', () => theme.disconnect());
}

/* A map in `element`. `pick(latitude, longitude)`: called for a tap, or Enter at the middle. Returns {mark, points, remove}. */
export async function makeMap(element, { pick } = {}) {
  const map = new LeafletMap(element, { ...REST, minZoom: 1, maxZoom: TILES ? 19 : 10, worldCopyJump: true, zoomAnimation: false, attributionControl: Boolean(TILES) });
  const marks = new LayerGroup().addTo(map);
  if (pick) {
    map.on('click', ({ latlng }) => { const at = latlng.wrap(); pick(at.lat, at.lng); });
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      const at = map.getCenter().wrap();
      pick(at.lat, at.lng);
    });
  }
  await addGround(map);
  return {
    mark(place) {
      marks.clearLayers();
      if (!place) return;
      const at = [place.latitude, place.longitude];
      new CircleMarker(at, { radius: 8, weight: 3, color: styleOf('--paper'), fillColor: styleOf('--accent'), fillOpacity: 1 }).addTo(marks);
      if (!map.getBounds().contains(at) || map.getZoom() < 5) map.setView(at, Math.max(map.getZoom(), 6));
    },
    /* `list`: {latitude, longitude, label, go} each. */
    points(list) {
      marks.clearLayers();
      for (const { latitude, longitude, label, go, count = 1 } of list) {
        new CircleMarker([latitude, longitude], { radius: Math.min(18, 6 + 2 * Math.log2(count)), weight: 1.5, color: styleOf('--paper'), fillColor: styleOf('--accent'), fillOpacity: 0.85 })
          .bindTooltip(textOnly(label)).on('click', go).addTo(marks);
      }
      if (list.length) map.fitBounds(new LatLngBounds(list.map((one) => [one.latitude, one.longitude])).pad(0.4), { maxZoom: 7 });
    },
    cell(latitude, longitude) {
      marks.clearLayers();
      new Rectangle([[latitude - 0.1, longitude - 0.1], [latitude + 0.1, longitude + 0.1]], { color: styleOf('--accent'), weight: 2, fillOpacity: 0.25 }).addTo(marks);
      map.setView([latitude, longitude], 6);
    },
    remove: () => map.remove(),
  };
}
