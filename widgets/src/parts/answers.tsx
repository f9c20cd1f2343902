import type { JSX } from "preact";
import type { Phrase } from "../protocol";
import { Row } from "./facts";
import { Said } from "./phrase";

interface Props {
  of: { readonly now: Phrase; readonly waiting: Phrase; readonly next: Phrase };
  /** More that is to be known, below the three. */
  also?: JSX.Element;
}

/** Now, Waiting for, Next: always all three. */
export function Answers({ of, also }: Props): JSX.Element {
  return (
    <dl class="now">
      <Row label="Now">
        <Said phrase={of.now} />
      </Row>
      <Row label="Waiting for">
        <Said phrase={of.waiting} />
      </Row>
      <Row label="Next">
        <Said phrase={of.next} />
      </Row>
      {also}
    </dl>
  );
}
