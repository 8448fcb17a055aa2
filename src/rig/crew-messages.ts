/** What goes to a member of a crew. */
export type CrewRequest<Question> =
  | { readonly id: number; readonly question: Question }
  | { readonly mourn: Remains };

/** What comes from a member of a crew. */
export type CrewMessage<Sample> =
  | { readonly sample: Sample }
  | { readonly answerTo: number; readonly answer: unknown };

/** What a member clears away should the program that started it be killed. */
export interface Remains {
  readonly pids: readonly number[];
  readonly folder: string;
}
