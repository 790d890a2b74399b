/** Where a key leads in a list of options that a field points into, round at both ends; null for a key that leads nowhere. */
export function optionStep(key: string, at: number, options: number): number | null {
  const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  return step === 0 || options === 0 ? null : (at + step + options) % options;
}
