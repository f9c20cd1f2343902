/** How far the tasks of a mission are, in lists of missions as in the head of one. */
export { Segments as Progress, Tally as Counted } from "./meter";
