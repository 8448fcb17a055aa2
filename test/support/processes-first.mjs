import Sequencer from '@jest/test-sequencer';

/** In order of what they take: processes that start and wait, then what runs within the tests' own. */
const FOLDERS = ['e2e', 'fault', 'contract', 'integration', 'unit'];

/**
 * Where no run before has told how long the test files take, those that wait come first, so that none is left for the end,
 * when there is nothing beside which it could; of a folder, the largest file.
 */
export default class ProcessesFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isTold = sorted.every(({ duration }) => duration !== undefined);
    return isTold ? sorted : sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ path }) {
  return Math.max(...FOLDERS.map((name, place) => (path.includes(`/test/${name}/`) ? place : -1)));
}
