/** The panel's own drawings on a 16 px grid: line icons are stroked, state shapes are filled. */
import type { Shape } from "../domain/states";

export const LINES = {
  overview: "M1.5 8.75h3L6.6 4l2.8 8 1.9-3.25h3.2",
  integrations: "M1.5 11.5h13M4.5 11.5c3.6 0 3.4-7 7.2-7h2.8",
  deliveries: "M1.5 4h8.5M1.5 8h12.5M1.5 12h8.5M11.5 5.5 14 8l-2.5 2.5",
  "dead-letters": "M5.4 1.9h5.2l3.5 3.5v5.2l-3.5 3.5H5.4l-3.5-3.5V5.4ZM6 6l4 4M10 6l-4 4",
  systems: "M4 1.6v12.8M4 3.2h9.2l-1.4 1.9L13.2 7H4M4 9.8h6.6",
  rejected: "M8 1.6 13.4 3.7v4c0 3.3-2.3 5.5-5.4 6.7-3.1-1.2-5.4-3.4-5.4-6.7v-4ZM6.1 5.9l3.8 3.8M9.9 5.9 6.1 9.7",
  search: "M11.4 7A4.4 4.4 0 1 1 2.6 7a4.4 4.4 0 0 1 8.8 0ZM10.4 10.4l3.4 3.4",
  sliders:
    "M2 4.6h6M12 4.6h2M2 11.4h2M8 11.4h6M10 2.9a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4ZM6 9.7a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4Z",
  down: "m4.5 6.3 3.5 3.5 3.5-3.5",
  left: "M9.7 4.5 6.2 8l3.5 3.5",
  right: "M6.3 4.5 9.8 8l-3.5 3.5",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3 8.4 3.3 3.3L13 4.6",
  play: "M5 3v10l8-5Z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  up: "M8 13V3.4M4 7.4l4-4 4 4",
  copy: "M5.6 5.6h7.8v7.8H5.6ZM10.4 5.6V2.6H2.6v7.8h3",
  replay: "M13.5 8.2a5.5 5.5 0 1 1-2.4-4.7M13.5 1.6v3.3h-3.3",
  edit: "M3 13v-2.5L10.5 3 13 5.5 5.5 13ZM9 4.5 11.5 7",
  folder: "M1.8 12.8V3.2h4.4l1.6 2h6.4v7.6Z",
  help: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.7-.8 1.2M8 11.3v.01",
} as const;

export type LineName = keyof typeof LINES;

const DISC = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z";
const RING = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.7a5.3 5.3 0 1 0 0 10.6A5.3 5.3 0 0 0 8 2.7Z";

export const SHAPES: Record<Shape, string> = {
  delivered: `${DISC}M11.5 5 7.1 9.5 5 7.4 3.9 8.5 7.1 11.7 12.6 6.1Z`,
  queued: RING,
  sending: "M1 7.1h9.1L6.9 3.9l1.2-1.2L13.4 8l-5.3 5.3-1.2-1.2 3.2-3.2H1Z",
  retrying: "M8 2.2c1.7 0 3.2.7 4.3 1.8L14 2.3V7H9.3l1.8-1.8A4.3 4.3 0 1 0 12 9.4l1.7.5A6 6 0 1 1 8 2.2Z",
  held: "M3.5 2h3v12h-3ZM9.5 2h3v12h-3Z",
  dead: "M5 1h6l4 4v6l-4 4H5l-4-4V5ZM6 4.7 4.7 6l2 2-2 2L6 11.3l2-2 2 2 1.3-1.3-2-2 2-2L10 4.7l-2 2Z",
  discarded:
    "M6.6 1.1h2.8v1.7H6.6ZM12.2 2.5l2 2-1.2 1.2-2-2ZM14.9 6.6v2.8h-1.7V6.6ZM13.5 12.2l-2 2-1.2-1.2 2-2ZM9.4 14.9H6.6v-1.7h2.8ZM3.8 13.5l-2-2L3 10.3l2 2ZM1.1 9.4V6.6h1.7v2.8ZM2.5 3.8l2-2L5.7 3l-2 2Z",
  filtered: "M1 2h14L9.7 8.6V14l-3.4-2V8.6Z",
  collected: "M2 2h12v3H2ZM3 6.5h10V14H3ZM6 8v1.6h4V8Z",
  superseded: "M1 4h8.5v1.8H1ZM1 10.2h6v1.8H1ZM11 6.4 15 10l-4 3.6Z",
  warn: "M8 1.2 15.4 14.4H.6ZM7.2 6v4.2h1.6V6Zm0 5.3v1.6h1.6v-1.6Z",
  paused: "M3.5 2h3v12h-3ZM9.5 2h3v12h-3Z",
  idle: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z",
  "breaker-closed": DISC,
  "breaker-half": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.7v10.6A5.3 5.3 0 0 0 8 2.7Z",
  "breaker-open": RING,
  "breaker-held": `${RING}M5.4 5.2h1.8v5.6H5.4ZM8.8 5.2h1.8v5.6H8.8Z`,
  "breaker-forced": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1ZM4.2 7.1v1.8h7.6V7.1Z",
  "breaker-off": "M2 7.1h12v1.8H2Z",
};
