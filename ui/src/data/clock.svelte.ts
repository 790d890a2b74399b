/** One tick a second for everything that says how long ago, on the engine's clock. */
export class Clock {
  now = $state(Date.now());

  constructor(private readonly skewMs: () => number) {}

  start(): () => void {
    const tick = () => (this.now = Date.now() + this.skewMs());
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }
}
