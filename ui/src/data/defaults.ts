/** An engine of an earlier version leaves newer fields out; screens always find them. */
import type { DeliveryDetail } from "../api/types";

type Partly<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

export function wholeDetail(d: Partly<DeliveryDetail, "waits_for" | "lineage">): DeliveryDetail {
  return { ...d, waits_for: d.waits_for ?? null, lineage: d.lineage ?? [] };
}
