/** The API's words for everything above the data layer, so that one place changes when the generated types do. */
export type * from "../api/types";
