"""Pages that arrive fast, as one: what a chunk costs by itself is then spread over more rows.

At a platform's own latency each page is a chunk; so nothing is committed later than a call takes anyway.
"""

import time
from collections.abc import Iterator

from providers.records import Page

MOST_PAGES = 8  # some 4,000 rows of Meta: a few tens of milliseconds of merging, some MB
MOST_SECONDS = 0.3  # from asking for the first page on; platforms need more for one


def gathered(pages: Iterator[Page]) -> Iterator[Page]:
    """The same records in fewer pages. What came before an error is yielded first."""
    waiting: list[Page] = []
    ends_at = time.monotonic() + MOST_SECONDS
    try:
        for page in pages:
            waiting.append(page)
            if page.cursor is None or _is_enough(waiting) or time.monotonic() > ends_at:
                together, waiting = _together(waiting), []
                yield together
                ends_at = time.monotonic() + MOST_SECONDS
    except Exception:
        if waiting:
            yield _together(waiting)
        raise


def _is_enough(pages: list[Page]) -> bool:
    """A page that tells how much is to come is a chunk: by it the reading may be planned anew."""
    return len(pages) >= MOST_PAGES or pages[-1].expected_total is not None


def _together(pages: list[Page]) -> Page:
    if len(pages) == 1:
        return pages[0]
    records = [record for page in pages for record in page.records]
    return Page(records, pages[-1].cursor, pages[-1].expected_total)
