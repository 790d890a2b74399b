/** The rails of an integration: source, steps in a row, then one rail to each destination. Geometry only. */

export interface GraphBox {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface GraphRail {
  d: string;
  /** Which destination it leads to; null on the trunk. */
  to: number | null;
}

export interface Graph {
  height: number;
  source: GraphBox;
  steps: GraphBox[];
  destinations: GraphBox[];
  rails: GraphRail[];
}

const BOX = 72;
const ROW = 92;

/** Rails branch at 45° where there is room, as points do; boxes shrink before rails vanish. */
export function layOutGraph(width: number, steps: number, destinations: number): Graph {
  const height = Math.max(1, destinations) * ROW + 44;
  const middle = height / 2;
  const last = Math.min(208, width * 0.24);
  const first = Math.min(168, width * 0.2);
  const room = width - 32 - first - last - 120;
  const pitch = steps > 0 ? room / steps : 0;
  const step = Math.max(64, Math.min(128, pitch - 40));
  const source = { id: "source", x: 24, y: middle - BOX / 2, width: first, height: BOX };
  const gap = Math.min(72, Math.max(24, (room - step * steps) / Math.max(1, steps)));
  const boxes: GraphBox[] = [];
  let x = source.x + source.width;
  const rails: GraphRail[] = [];
  for (let i = 0; i < steps; i++) {
    rails.push({ d: `M${x} ${middle}H${x + gap}`, to: null });
    x += gap;
    boxes.push({ id: `step ${i}`, x, y: middle - BOX / 2, width: step, height: BOX });
    x += step;
  }
  const points = x + 24;
  const ends = width - 24 - last;
  rails.push({ d: `M${x} ${middle}H${points}`, to: null });
  const tops: GraphBox[] = [];
  for (let i = 0; i < destinations; i++) {
    const y = middle + (i - (destinations - 1) / 2) * ROW;
    const run = Math.min(Math.abs(y - middle), Math.max(8, ends - points - 64));
    rails.push({ d: `M${points} ${middle}L${points + run} ${y}H${ends}`, to: i });
    tops.push({ id: `destination ${i}`, x: ends, y: y - BOX / 2, width: last, height: BOX });
  }
  return { height, source, steps: boxes, destinations: tops, rails };
}
