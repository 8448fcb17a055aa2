import type { Page } from 'playwright-core';

/**
 * Finds texts of the page that are drawn over each other: pairs of them, as far as each is in sight within what scrolls or
 * clips it. What is hidden from sight on purpose is left out.
 */
export async function overprints(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    /** Where borders of boxes touch, rounding may overlap them by less. */
    const MOST = 1.5;
    interface Box {
      left: number;
      top: number;
      right: number;
      bottom: number;
    }
    const clip = (box: Box, by: Box): Box => ({
      left: Math.max(box.left, by.left),
      top: Math.max(box.top, by.top),
      right: Math.min(box.right, by.right),
      bottom: Math.min(box.bottom, by.bottom),
    });
    const isSeen = ({ left, top, right, bottom }: Box): boolean => right - left > MOST && bottom - top > MOST;
    const texts: { text: string; box: Box }[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? '';
      const parent = node.parentElement;
      if (text === '' || parent === null || parent.closest('.visually-hidden, .skip, option') !== null)
        continue;
      if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        let box = clip(rect, rect);
        for (let above: Element | null = parent; above !== null; above = above.parentElement) {
          const { overflowX, overflowY } = getComputedStyle(above);
          if (overflowX !== 'visible' || overflowY !== 'visible')
            box = clip(box, above.getBoundingClientRect());
        }
        // Lines of text are higher than what is drawn of them.
        box = { ...box, top: box.top + 2, bottom: box.bottom - 2 };
        if (isSeen(box)) texts.push({ text, box });
      }
    }
    const found = texts.flatMap((one, index) =>
      texts
        .slice(index + 1)
        .filter((other) => other.text !== one.text && isSeen(clip(one.box, other.box)))
        .map((other) => `“${one.text}” and “${other.text}”`),
    );
    return [...new Set(found)];
  });
}
